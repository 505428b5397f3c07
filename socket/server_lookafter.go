package socket

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// lookAfterEvery is how often a server looks whether its socket file is still there.
const lookAfterEvery = time.Second

// lookAfter looks after the socket file of a listener that has one, until the function that
// it returns is called.
func (ipc *IPC) lookAfter(name Name, listener net.Listener) (end func()) {
	l, ok := listener.(interface {
		Look() (loss error, restored bool)
	})
	if !ok {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var looking sync.WaitGroup
	looking.Go(func() {
		told := ""
		_ = stream.Interval(lookAfterEvery).ForEach(ctx, func(int) {
			loss, restored := l.Look()
			told = ipc.tellLoss(name, loss, restored, told)
		})
	})
	return func() { cancel(); looking.Wait() }
}

// tellLoss tells of a loss unless it was told before, and returns which one is known now.
func (ipc *IPC) tellLoss(name Name, loss error, restored bool, told string) string {
	switch {
	case loss == nil:
		return ""
	case restored:
		ipc.config.Log.Warn("socket file was lost and made again", "name", name.text, "error", loss)
	case told == loss.Error():
		return told
	default:
		ipc.config.Log.Error("socket file was lost, no new client reaches the server", "name", name.text, "error", loss)
	}
	if hook := ipc.config.Hooks.SocketLost; hook != nil {
		callHook(ipc.config.Log, hook, SocketLoss{Name: name, Err: loss, Restored: restored})
	}
	if restored {
		return ""
	}
	return loss.Error()
}
