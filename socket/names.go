package socket

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/probe"
)

// probesAtOnce bounds how many servers are probed at the same time.
const probesAtOnce = 16

// Processes is [IPC.Names] under the name that it has in innmind/ipc.
func (ipc *IPC) Processes(ctx context.Context) fold.Attempt[[]Name] { return ipc.Names(ctx) }

// Names lists, in order, the names on which a server answers now. It opens a session with
// each server and closes it, which disturbs no server of either dialect. A server that does
// not answer within a second is not listed.
func (ipc *IPC) Names(ctx context.Context) fold.Attempt[[]Name] {
	if ipc.invalid != nil {
		return fold.Fail[[]Name](&Error{Op: "list", Err: ipc.invalid})
	}
	names, err := ipc.config.Transport.Names(ctx)
	if err != nil {
		return fold.Fail[[]Name](&Error{Op: "list", Err: err})
	}
	alive := make([]bool, len(names))
	var probes sync.WaitGroup
	free := make(chan struct{}, probesAtOnce)
	for i, name := range names {
		free <- struct{}{}
		probes.Go(func() {
			defer func() { <-free }()
			alive[i] = ipc.answers(ctx, name)
		})
	}
	probes.Wait()
	if ctx.Err() != nil {
		return fold.Fail[[]Name](&Error{Op: "list", Err: context.Cause(ctx)})
	}
	for i := len(names) - 1; i >= 0; i-- {
		if !alive[i] {
			names = slices.Delete(names, i, i+1)
		}
	}
	return fold.Succeed(names)
}

// answers reports whether a server answers on the name, or is too busy to accept.
func (ipc *IPC) answers(ctx context.Context, name Name) bool {
	ctx, cancel := context.WithTimeout(ctx, probe.Time)
	defer cancel()
	conn, err := ipc.config.Transport.Dial(ctx, name)
	if err != nil {
		return errors.Is(err, ErrBusy)
	}
	return probe.Visit(ctx, conn) == nil
}
