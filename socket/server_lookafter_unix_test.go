//go:build unix

package socket

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

// remove removes files.
func remove(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal("removing a file: ", err)
		}
	}
}

func TestServerTellsThatItsSocketWasLost(t *testing.T) {
	t.Parallel()
	dir, ctx := shortDir(t), within(t)
	path := filepath.Join(dir, "counter.sock")
	losses, lines := make(chan SocketLoss), make(logLines, 10)
	config, listening := Config{Dir: dir, Log: newLineLog(lines)}, make(chan struct{})
	config.Listening = func(Name) { close(listening) }
	config.Hooks.SocketLost = func(loss SocketLoss) { losses <- loss }
	ipc := New(config)
	serving(t, ipc)
	<-listening
	p, err := ipc.ConnectTo(ctx, counter).Get()
	if err != nil {
		t.Fatal("connecting before the socket was removed: ", err)
	}
	defer p.Close(ctx)
	remove(t, path)
	loss := <-losses
	if loss.Name != counter || !loss.Restored || !errors.Is(loss.Err, fs.ErrNotExist) {
		t.Errorf("the hook got %+v, want that the counter's socket was removed and made again", loss)
	}
	if line := <-lines; !strings.Contains(line, "level=WARN") || !strings.Contains(line, path) {
		t.Errorf("the log says %q, want a warning about %s", line, path)
	}
	for who, err := range map[string]error{
		"that stayed":    p.Send(ctx, Text("one")).Err(),
		"that came then": fold.Then(ipc.ConnectTo(ctx, counter), Closing(ctx, Send(ctx, Text("one")))).Err(),
	} {
		if err != nil {
			t.Errorf("a client %s sends: %v", who, err)
		}
	}
	remove(t, path)
	listenForeign(t, path)
	if loss := <-losses; loss.Restored || !errors.Is(loss.Err, ErrInUse) {
		t.Errorf("the hook got %+v, want that the socket was replaced", loss)
	}
	if line := <-lines; !strings.Contains(line, "level=ERROR") {
		t.Errorf("the log says %q, want an error", line)
	}
}

func TestServerTellsOfEachLossOnce(t *testing.T) {
	var told []SocketLoss
	lines := make(logLines, 10)
	config := Config{Log: newLineLog(lines)}
	config.Hooks.SocketLost = func(loss SocketLoss) { told = append(told, loss) }
	ipc, known := New(config), ""
	replaced, removed := errors.New("replaced"), errors.New("removed")
	for _, seen := range []struct {
		loss     error
		restored bool
	}{{nil, false}, {replaced, false}, {replaced, false}, {removed, true}, {nil, false}, {removed, true}, {replaced, false}, {nil, false}, {replaced, false}} {
		known = ipc.tellLoss(counter, seen.loss, seen.restored, known)
	}
	if len(told) != 5 || len(lines) != 5 {
		t.Errorf("told the hook %d times and the log %d times of five losses, want each once", len(told), len(lines))
	}
}
