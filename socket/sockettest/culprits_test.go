package sockettest

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// reporter takes the place of the test to which a bench reports.
type reporter struct {
	testing.TB
	said   strings.Builder
	failed bool
}

// errStopped is the panic with which a reporter ends a test, as FailNow would.
var errStopped = fmt.Errorf("stopped")

func (*reporter) Helper()             {}
func (r *reporter) Output() io.Writer { return &r.said }
func (r *reporter) Fail()             { r.failed = true }
func (r *reporter) Failed() bool      { return r.failed }
func (r *reporter) Errorf(format string, arguments ...any) {
	r.Fail()
	fmt.Fprintf(&r.said, format+"\n", arguments...)
}
func (r *reporter) Fatalf(format string, arguments ...any) {
	r.Errorf(format, arguments...)
	panic(errStopped)
}
func (r *reporter) Fatal(arguments ...any) { r.Fatalf("%s", fmt.Sprint(arguments...)) }

// says compares the report of a test on a bench with a text whose lines are indented. It
// ignores line numbers, and the spaces that go-cmp adds at random.
func says(t *testing.T, want string, f func(*Bench)) {
	t.Helper()
	r := new(reporter)
	Run(t, func(b *Bench) {
		r.TB, b.TB = b.TB, r
		b.Timeout = time.Minute
		defer func() {
			if v := recover(); v != nil && v != any(errStopped) {
				panic(v)
			}
		}()
		f(b)
	})
	if got, want := plain(r.said.String()), plain(want); got != want || !r.failed {
		t.Errorf("failed: %v, got\n%s\nwant\n%s", r.failed, got, want)
	}
}

func plain(text string) string {
	lines := strings.Split(strings.Trim(strings.ReplaceAll(text, "\u00a0", " "), "\n"), "\n")
	indentation := len(lines[0]) - len(strings.TrimLeft(lines[0], "\t"))
	for i, line := range lines {
		line = strings.TrimRight(line[min(indentation, len(line)-len(strings.TrimLeft(line, "\t"))):], "\t ")
		if place, rest, ok := strings.Cut(line, ": "); ok && strings.HasPrefix(place, "culprits_test.go:") {
			line = "here: " + rest
		}
		lines[i] = line
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// once is the reaction of a server that acknowledges a message and then sends extra.
func once(extra ...Event) func(Event, []Event) []Event {
	return func(e Event, usual []Event) []Event {
		if _, ok := e.Message(); ok {
			return append(usual, extra...)
		}
		return usual
	}
}

// wrongServers are servers that differ from the one that the test expects, and the report
// of the failed test.
var wrongServers = map[string]struct {
	server string
	reacts func(e Event, usual []Event) []Event
	says   string
}{
	"no response": {"", once(), `
		here: the run is not as expected
		    expected  (<+a)-(.|)
		      actual  (<+) -(.|)
		              ^
		    frame 0: expected "a", got nothing more
	`},
	"no acknowledgement": {"", noAck, `
		here: the run is not as expected
		    expected  (<+a)-(.|)
		      actual  <    -(.|)
		              ^
		    frame 0: expected + = ack, got nothing more
	`},
	"two acknowledgements": {"", once(Ack(), Text("a")), `
		here: the run is not as expected
		    expected  (<+a) -(.|)
		      actual  (<++a)-(.|)
		              ^
		    frame 0: expected "a", got + = ack
		        (-expected +actual)
		          sockettest.Event(Inverse(Event, string(
		        - 	` + "`\"a\"`" + `,
		        + 	"ack",
		          )))
	`},
	"acknowledgement of the other dialect": {"", func(e Event, usual []Event) []Event {
		if _, ok := e.Message(); ok {
			return []Event{Received(), Text("a")}
		}
		return usual
	}, `
		here: the run is not as expected
		    expected  (<+a)-(.|)
		      actual  (<=a)-(.|)
		              ^
		    frame 0: expected + = ack, got = = message.received
		        (-expected +actual)
		          sockettest.Event(Inverse(Event, string(
		        - 	"ack",
		        + 	"message.received",
		          )))
	`},
	"needless heartbeats": {"-~", once(Text("a")), `
		here: the run is not as expected
		    expected  (<+a)-(.|)
		      actual  (<+a)~(.|)
		                   ^
		    frame 1: got ~ = heartbeat, expected nothing
	`},
	"death": {"-#", once(Text("a")), `
		here: the run is not as expected
		    expected  (<+a)-(.|)
		      actual  (<+a)#
		                   ^^
		    frame 1: got failure (streamtest: failure of a diagram: unexpected EOF), expected nothing
		    frame 2: expected . = connection.close-ok, got nothing
	`},
	"no consent": {"", func(e Event, usual []Event) []Event { return impolite(e, once(Text("a"))(e, usual)) }, `
		here: the run is not as expected
		    expected  (<+a)-(.|)
		      actual  (<+a)--
		                    ^
		    frame 2: expected . = connection.close-ok, got nothing
		    the run had not ended 1m0s after the diagram
	`},
	"garbage": {"", once(Text("a"), Cut(Text("b"), -1), Bytes("?")), `
		here: the run is not as expected
		    expected  (<+a) -(.|)
		      actual  (<+a#)
		              ^      ^
		    frame 0: got failure (streamtest: failure of a diagram: unexpected EOF), expected nothing more
		    frame 2: expected . = connection.close-ok, got nothing
	`},
	"no frames": {"", once(Text("a"), noFrame), `
		here: the run is not as expected
		    expected  (<+a) -(.|)
		      actual  (<+a?)
		              ^      ^
		    frame 0: got failure (protocol violation: socket: parse media type: invalid: media type "": expected a known top level type and '/' at byte 0), expected nothing more
		    frame 2: expected . = connection.close-ok, got nothing
	`},
}

func TestBenchReportsWrongServers(t *testing.T) {
	for name, c := range wrongServers {
		t.Run(name, func(t *testing.T) {
			says(t, c.says, func(b *Bench) {
				b.Server(one, c.server).Reacts(c.reacts)
				b.Client(one, "a-|").ExpectWire("(<+a)-(.|)")
			})
		})
	}
}

func TestBenchReportsWrongClients(t *testing.T) {
	for name, c := range map[string]struct{ client, says string }{
		"too late": {"-a|", `
			here: the run is not as expected
			    expected  a--
			      actual  -a-
			              ^^
			    frame 0: expected "a", got nothing
			    frame 1: got "a", expected nothing
			here: the run is not as expected
			    expected  (>a)-:
			      actual  >   a:
			              ^   ^
			    frame 0: expected "a", got nothing more
			    frame 1: got "a", expected nothing
		`},
		"no close": {"a-#", `
			here: the run is not as expected
			    expected  (>a)-:
			      actual  (>a)-_
			                   ^
			    frame 2: expected : = connection.close, got _ = hang-up
			        (-expected +actual)
			          sockettest.Event(Inverse(Event, string(
			        - 	"connection.close",
			        + 	"hang-up",
			          )))
		`},
	} {
		t.Run(name, func(t *testing.T) {
			says(t, c.says, func(b *Bench) {
				server := b.Server(one, "")
				server.Expect("a--")
				server.ExpectWire("(>a)-:")
				b.Client(one, c.client)
			})
		})
	}
}

func TestBenchReportsAnUnexpectedEndOfTheCode(t *testing.T) {
	says(t, `
		here: the run is not as expected
		    expected  --   --(2|)
		      actual  -(1|)
		               ^     ^
		    frame 1: got 1, expected nothing
		    frame 4: expected 2, got nothing
	`, func(b *Bench) {
		b.Client(one, "-s")
		Expect(b, echo, "----(2|)")
	})
	says(t, `
		here: the run is not as expected
		    expected  (2|)
		      actual  ?
		              ^
		    frame 0: expected 2, got failure (socket: listen one: name already in use)
	`, func(b *Bench) {
		b.Server(one, "")
		Expect(b, echo, "(2|)")
	})
}

func TestPeerReportsImpossibleActions(t *testing.T) {
	says(t, `frame 0: the virtual client of one cannot connect: socket: dial one: nobody listens`, func(b *Bench) {
		b.Client(one, "|")
	})
	says(t, `frame 2: the virtual server of one has no connection for "a"`, func(b *Bench) {
		b.Server(one, "--a")
	})
	says(t, `frame 2: the virtual client of one has no connection for "b"`, func(b *Bench) {
		b.Server(one, "-|")
		b.Client(one, "a-b")
	})
	says(t, `frame 0: the virtual server of one cannot listen: socket: listen one: name already in use`, func(b *Bench) {
		b.Server(one, "")
		b.Server(one, "")
	})
	says(t, `frame 3: the virtual client of one cannot send "`+x(60)+`"… (100 bytes): the connection ended before it had left`, func(b *Bench) {
		network := NewNetwork()
		network.Buffer = 100
		b.Config.Transport = network
		events := map[rune]Event{'s': StopReading(), 'b': Text(x(100))}
		b.Server(one, "-s-#", events)
		b.Client(one, "a-b", events)
	})
	says(t, `
		diagram, column 3: no group to close
		    a-)
		      ^
	`, func(b *Bench) { b.Client(one, "a-)") })
	says(t, `
		diagram, column 4: '^' has no meaning in a cold source
		    aˆb^
		       ^
	`, func(b *Bench) { b.Client(one, "a^b^") })
	says(t, `
		diagram, column 2: 'z' is bound to no sockettest.Event
		    -z
		     ^
	`, func(b *Bench) { b.Client(one, "-z", map[rune]Event{'z': {}}) })
	says(t, `
		diagram, column 2: '_' is bound to no sockettest.Event
		    -_
		     ^
	`, func(b *Bench) { b.Client(one, "-_") })
}
