package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/rxipc/rxipc/examples/internal/command"
	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/system"
)

// collect stores up to 1,000 lines with one sync, and prints how many it stores in a second.
func collect(ctx context.Context, dir, file string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ipc := socket.New(socket.Config{
		Transport:    socket.Unix{Dir: dir, Inherit: true},
		ServerConfig: socket.ServerConfig{MaxHeld: 1000, Listening: func(socket.Name) { fmt.Println(os.Getpid(), "listens") }},
	})
	s := &store{path: file}
	lines := stream.Pipe3(
		socket.Exchanges(ipc.Listen(name)),
		operators.TakeUntilDone[socket.Exchange](ctx),
		operators.Map(socket.Exchange.Hold),
		operators.BufferTimeOrCount[*socket.Held](time.Millisecond, 1000),
	)
	upgrades := stream.Pipe2(
		system.Signals(syscall.SIGHUP),
		operators.TakeUntilDone[os.Signal](ctx),
		operators.Map(func(os.Signal) []*socket.Held { return nil }),
	)
	err := stream.Pipe4(
		operators.Merge(lines, upgrades),
		socket.Commit(func(ctx context.Context, batch []*socket.Held) error {
			if batch != nil {
				return s.add(ctx, batch)
			}
			s.handOver(ctx, ipc, command.Self(context.WithoutCancel(ctx), "collect", "-dir", dir, file), stop)
			return nil
		}),
		operators.Map(func([]*socket.Held) int { return s.stored }),
		operators.FoldTumblingTime(time.Second, fold.Sum[int]()),
		operators.Filter(func(n int) bool { return n > 0 }),
	).ForEach(context.WithoutCancel(ctx), func(n int) { fmt.Println(n, "lines a second") })
	if err != nil || s.gone {
		return err
	}
	return context.Cause(ctx)
}

// store is a file of lines, each behind its source and the position behind it there.
type store struct {
	path   string
	file   *os.File          // nil: not open
	last   map[string]string // the position behind the last line, by source
	stored int               // lines of the last batch
	gone   bool              // the file is the successor's
}

// add stores lines and syncs them. It answers the question for the last position of a source.
func (s *store) add(ctx context.Context, batch []*socket.Held) error {
	if s.file == nil && !s.gone {
		if err := s.open(); err != nil {
			return err
		}
	}
	var text bytes.Buffer
	s.stored = 0
	for _, h := range batch {
		fields := strings.SplitN(h.Content(), " ", 4)
		source := fields[0]
		switch {
		case s.gone:
			h.Reject(errors.New("another process collects now"))
		case len(fields) == 1:
			_ = h.Respond(ctx, socket.Text(s.last[source])) // it fails if the shipper is gone
		case len(fields) != 4 || fields[1] != s.last[source]:
			h.Reject(errors.New("the line does not follow on the one before"))
		default:
			fmt.Fprintln(&text, source, fields[2], fields[3])
			s.last[source] = fields[2]
			s.stored++
		}
	}
	if text.Len() == 0 {
		return nil
	}
	if _, err := s.file.Write(text.Bytes()); err != nil {
		return err
	}
	return s.file.Sync()
}

// handOver lets a successor have the file, and stops this process.
func (s *store) handOver(ctx context.Context, ipc *socket.IPC, successor *exec.Cmd, stop func()) {
	s.stored = 0
	s.file.Close()
	s.file = nil // a hand-over that fails may have written to it
	if err := ipc.HandOver(ctx, successor); err != nil {
		fmt.Println(os.Getpid(), "goes on:", err)
		return
	}
	s.gone = true
	stop()
}

// open reads the positions. It cuts off a line that was not written wholly when a process died.
func (s *store) open() (err error) {
	if s.file, err = os.OpenFile(s.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644); err != nil {
		return err
	}
	s.last = map[string]string{}
	whole := int64(0)
	for r := bufio.NewReader(s.file); ; {
		line, err := r.ReadString('\n')
		if err == io.EOF {
			return s.file.Truncate(whole)
		}
		if err != nil {
			return err
		}
		fields := strings.SplitN(line, " ", 3)
		if len(fields) != 3 {
			return fmt.Errorf("%s is no file of a collector, because of the line %q: give it another one", s.path, line)
		}
		s.last[fields[0]] = fields[1]
		whole += int64(len(line))
	}
}
