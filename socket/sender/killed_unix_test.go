//go:build unix

package sender_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/internal/programtest"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/sender"
	"github.com/rxipc/rxipc/stream"
)

func TestMain(m *testing.M) { programtest.Main(m, playServer) }

// playServer is a server that adds each message to the file handled in the folder of its socket.
func playServer() {
	dir := os.Args[1]
	handled, err := os.OpenFile(filepath.Join(dir, "handled"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		err = socket.Serve(socket.New(socket.Config{Dir: dir}), name, fold.Unit()).
			With(context.Background(), func(m socket.Message, c socket.Continuation[struct{}], _ struct{}) socket.Continuation[struct{}] {
				if _, err := fmt.Fprintln(handled, m.Content()); err != nil {
					return c.Reject(err)
				}
				return c
			}).Err()
	}
	fmt.Fprintln(os.Stderr, "the server ends:", err)
	os.Exit(1)
}

// TestSendAllOutlivesKilledServers kills the server with SIGKILL again and again.
func TestSendAllOutlivesKilledServers(t *testing.T) {
	const count, kills = 3000, 10
	for storage, config := range map[string]sender.Config{"memory": {}, "spool": {Spool: "spool"}} {
		t.Run(storage, func(t *testing.T) {
			dir := programtest.Dir(t)
			if config.Spool != "" {
				config.Spool = filepath.Join(dir, config.Spool)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			server := programtest.Start(t, "", dir)
			numbers := operators.Map(func(n int) socket.Message { return socket.Text(fmt.Sprint(n)) })(stream.Range(0, count))
			var delivered []string
			doubtful := map[string]bool{}
			err := sender.New(socket.New(socket.Config{Dir: dir}), name, config).SendAll(numbers).ForEach(ctx, func(d sender.Delivery) {
				if d.Err != nil {
					t.Errorf("deliver %s: got %v, want no error", d.Message.Content(), d.Err)
				}
				delivered = append(delivered, d.Message.Content())
				doubtful[d.Message.Content()] = d.Doubtful
				if len(delivered)%(count/kills) == 1 {
					server.Signal(syscall.SIGKILL)
					server.Wait()
					server = programtest.Start(t, "", dir)
				}
			})
			if err != nil || len(delivered) != count {
				t.Fatalf("send %d messages while the server is killed %d times: got %d deliveries, %v, want all", count, kills, len(delivered), err)
			}
			isHandledAtLeastOnce(t, dir, delivered, doubtful)
		})
	}
}

// isHandledAtLeastOnce fails the test unless the server has handled the messages in order, and only
// the doubtful ones more than once.
func isHandledAtLeastOnce(t *testing.T, dir string, delivered []string, doubtful map[string]bool) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "handled"))
	if err != nil {
		t.Fatalf("read what was handled: %v", err)
	}
	times := map[string]int{}
	var first []string
	for line := range strings.Lines(string(text)) {
		content := strings.TrimSpace(line)
		if times[content]++; times[content] == 1 {
			first = append(first, content)
		} else if !doubtful[content] {
			t.Errorf("message %s was handled %d times and is not doubtful, want once", content, times[content])
		}
	}
	if !slices.Equal(first, delivered) {
		t.Errorf("the server has handled %d messages, want the %d that were delivered, in order", len(first), len(delivered))
	}
}
