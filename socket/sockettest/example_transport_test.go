package sockettest_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/sockettest"
)

// passes runs a test function as go test does, without its log.
func passes(test func(t *testing.T)) bool {
	verbose := flag.Lookup("test.v").Value.String()
	flag.Set("test.v", "false")
	defer flag.Set("test.v", verbose)
	all := func(_, _ string) (bool, error) { return true, nil }
	return testing.RunTests(all, []testing.InternalTest{{Name: "Example", F: test}})
}

// A transport of one's own is checked in a test. Each call of the function makes a new one.
func ExampleCheckTransport() {
	fmt.Println(passes(func(t *testing.T) {
		sockettest.CheckTransport(t, func(*testing.T) socket.Transport { return sockettest.NewNetwork() })
	}))
	// Output: true
}

// A message of JSON in a diagram, and the answer to it.
func ExampleMessage() {
	events := map[rune]sockettest.Event{'j': sockettest.Message(socket.NewMessage(socket.JSON(), `{"a": 1}`))}
	sockettest.Run(t, func(b *sockettest.Bench) {
		b.Client(name, "              -j-|", events).Expect("-j-|", events)
		sockettest.Expect(b, counter, "----(1!)")
	})
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}
