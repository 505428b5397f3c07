//go:build unix

package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

func TestFollowSurvivesAServerThatIsKilled(t *testing.T) {
	dir, ctx := shortDir(t), within(t)
	server := start(t, "server", dir)
	var lost []error
	follow := New(Config{Dir: dir}).Follow(counter, FollowConfig{
		Subscribe: Subscribe(Text("news, please")),
		Lost:      func(err error) { lost = append(lost, err) },
	})
	came := 0
	err := follow(ctx, func(m Message) bool {
		if m != Text("echo: news, please") {
			t.Errorf("follow a server that is killed: got %v, want the echo of the subscription", m)
		}
		if came++; came == 3 {
			return false
		}
		server.kill()
		server = start(t, "server", dir)
		return true
	})
	if err != nil || came != 3 || len(lost) != 2 || !errors.Is(lost[0], io.ErrUnexpectedEOF) {
		t.Errorf("follow a server that is killed twice: got the error %v, %d messages and the losses %v; want none, 3 and two of io.ErrUnexpectedEOF", err, came, lost)
	}
}

func init() {
	roles["recorder"] = playRecorder
}

// recordOf is the file in which servers write down what they handle.
func recordOf(dir string) string { return filepath.Join(dir, "handled") }

// playRecorder writes down each request before it responds. It does not respond to those
// that begin with "hang", and prints that it has them.
func playRecorder(dir string) {
	record, err := os.OpenFile(recordOf(dir), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Println(err)
		return
	}
	Serve(New(Config{Dir: dir}), counter, fold.Sum[int]()).With(context.Background(), func(m Message, c Continuation[int], n int) Continuation[int] {
		fmt.Fprintln(record, m.Content())
		if strings.HasPrefix(m.Content(), "hang") {
			fmt.Println("hangs")
			select {}
		}
		return echo(m, c, n)
	})
}

// recorded is how many times each request was handled.
func recorded(t *testing.T, dir string) map[string]int {
	t.Helper()
	all, err := os.ReadFile(recordOf(dir))
	if err != nil {
		t.Fatalf("reading what was handled: %v", err)
	}
	times := map[string]int{}
	for line := range strings.Lines(string(all)) {
		times[strings.TrimSpace(line)]++
	}
	return times
}

// checkRecorded checks the outcome of a request against how many times it was handled.
func checkRecorded(t *testing.T, content string, err error, times int) {
	t.Helper()
	if err == nil {
		if times != 1 {
			t.Errorf("%s was answered, and handled %d times, want once", content, times)
		}
		return
	}
	e := sendError(t, err)
	low, high, words := 0, 0, ""
	switch {
	case e.Acknowledged == 1:
		low, high, words = 1, 1, "the message was handled"
	case e.Doubtful() == 1:
		high, words = 1, "one message may have been handled"
	}
	if times < low || times > high || !strings.Contains(err.Error(), words) {
		t.Errorf("%s was handled %d times, and failed with %q; want %d to %d times and the words %q", content, times, err, low, high, words)
	}
	if words == "" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%s failed with %q, want only those to fail that a killed server may have handled", content, err)
	}
}

// TestPoolSurvivesAServerThatIsKilled has many goroutines ask another process, that is
// killed in the middle, and compares their outcomes with the requests that were handled.
func TestPoolSurvivesAServerThatIsKilled(t *testing.T) {
	const hanging, callers, each = 8, 64, 60
	dir, ctx := shortDir(t), within(t)
	server := start(t, "recorder", dir)
	pool := New(Config{Dir: dir}).Pool(counter, PoolConfig{Connections: 2 * hanging})
	var asking sync.WaitGroup
	var outcomes sync.Map // an error, or nil, by content
	request := func(content string) {
		m, err := pool.Request(ctx, Text(content)).Get()
		if err == nil && m != Text("echo: "+content) {
			t.Errorf("request %s: got the answer %v, want the echo", content, m)
		}
		outcomes.Store(content, []error{err})
	}
	for i := range hanging {
		asking.Go(func() { request(fmt.Sprint("hang ", i)) })
	}
	for range hanging {
		server.expect("hangs")
	}
	third, killed := make(chan struct{}), make(chan struct{})
	for i := range callers {
		asking.Go(func() {
			for j := range each {
				if j == each/3 && i == 0 {
					close(third)
				}
				if j == each*2/3 {
					<-killed
				}
				request(fmt.Sprint(i, ":", j))
			}
		})
	}
	<-third
	server.kill()
	start(t, "recorder", dir)
	close(killed)
	asking.Wait()
	failed, times := uint64(0), recorded(t, dir)
	outcomes.Range(func(content, outcome any) bool {
		err := outcome.([]error)[0]
		if checkRecorded(t, content.(string), err, times[content.(string)]); err != nil {
			failed++
		}
		return true
	})
	if stats := pool.Stats(); failed < hanging || failed > 2*hanging || stats.Failed != failed || stats.Answered+failed != hanging+callers*each {
		t.Errorf("%d of %d requests failed, want those in flight, at least %d and at most %d; the pool counted %+v", failed, hanging+callers*each, hanging, 2*hanging, stats)
	}
	closePool(t, pool)
}
