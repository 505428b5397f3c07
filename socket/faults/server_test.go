//go:build unix

package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	_ "github.com/rxipc/rxipc/socket/sockettest" // overwrites lent memory when it is given back
)

// serve is the server process. It records each message before the acknowledgement, because
// a killed server loses its carry.
func serve(dir string, generation uint64) {
	ctx, stop := socket.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ctx, end := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2)
	go answer(signals)

	handled := openJournal(dir, "server", generation)
	ipc := socket.New(socket.Config{
		Transport: transportOf(dir),
		Grace:     2 * time.Second, // longer than a client is stopped, which would lose its responses
		ServerConfig: socket.ServerConfig{
			Listening: func(socket.Name) {
				now := takeCensus()
				say(report{Census: &now, Listens: os.Getpid()})
			},
		},
	})
	upgrades := make(chan os.Signal, 1)
	signal.Notify(upgrades, syscall.SIGHUP)
	go func() {
		<-upgrades
		if err := handOver(ipc, dir, generation+1); err != nil {
			fmt.Fprintln(os.Stderr, "server:", err)
			os.Exit(1)
		}
		end(&socket.SignalError{Signal: syscall.SIGHUP})
	}()
	served := serveWith(ctx, socket.Serve(ipc, victim, tallies), generation%2 == 1, handler{handled, openJournal(dir, "damaged", generation)})
	var interrupted *socket.SignalError
	carry, ok := socket.Carry(served).Get()
	if !ok || !errors.As(served.Err(), &interrupted) {
		fmt.Fprintln(os.Stderr, "server:", served.Err())
	}
	if ok {
		say(report{Carry: &carry})
	}
}

// handler is what the server does with a message.
type handler struct {
	handled journal // numbers of the messages
	damaged journal // lengths of the messages whose checksum is wrong
}

// handle records a message, and reports whether it is whole and whether it wants a reply.
func (h handler) handle(content []byte) (number uint64, reply, ok bool) {
	number, reply, ok = open(content)
	if ok {
		h.handled.add(number)
	} else {
		h.damaged.add(uint64(len(content)))
	}
	return number, reply, ok
}

// serveWith runs a server whose handler keeps its messages, or to which they are lent.
func serveWith(ctx context.Context, server socket.Server[tally], lend bool, h handler) fold.Attempt[tally] {
	if lend {
		return server.WithViews(ctx, func(v socket.View, c socket.Continuation[tally], carry tally) socket.Continuation[tally] {
			number, reply, ok := h.handle(v.Bytes())
			if !ok {
				return c.Finish()
			}
			if reply {
				c = c.RespondView(v)
			}
			return c.CarryWith(carry.with(number))
		})
	}
	return server.With(ctx, func(m socket.Message, c socket.Continuation[tally], carry tally) socket.Continuation[tally] {
		number, reply, ok := h.handle(m.Bytes())
		if !ok {
			return c.Finish()
		}
		if reply {
			c = c.Respond(m)
		}
		return c.CarryWith(carry.with(number))
	})
}

// handOver hands the socket over to a server of the next generation.
func handOver(ipc *socket.IPC, dir string, generation uint64) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	successor := exec.Command(self)
	successor.Env = append(os.Environ(), roleOf("server", int(generation), 0, dir))
	successor.Stdout, successor.Stderr = os.Stdout, os.Stderr
	return ipc.HandOver(context.Background(), successor)
}

// answer reports the census or the stacks of the server when a signal asks for them.
func answer(signals <-chan os.Signal) {
	for s := range signals {
		if s == syscall.SIGUSR2 {
			var stacks bytes.Buffer
			_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
			say(report{Stacks: stacks.String()})
			continue
		}
		sayCensus()
	}
}

func sayCensus() {
	now := takeCensus()
	say(report{Census: &now})
}

func takeCensus() census {
	runtime.GC()
	runtime.GC() // the second collection frees the contents of a sync.Pool
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return census{
		Descriptors: descriptors(),
		Goroutines:  runtime.NumGoroutine(),
		Heap:        stats.HeapAlloc,
		Memory:      stats.Sys - stats.HeapReleased,
	}
}

// descriptors returns the number of open descriptors of the process.
func descriptors() int {
	open, err := os.ReadDir("/dev/fd")
	if err != nil {
		panic(err)
	}
	return len(open)
}

// The content of a message: its number, whether it wants a reply, padding that differs from that
// of other messages at each place, and a checksum of all of these.
const (
	replyMark   = '?'
	leastLength = 16 + 1 + 8
)

func messageOf(number uint64, reply bool, padding int) socket.Message {
	mark := '.'
	if reply {
		mark = replyMark
	}
	digits := fmt.Sprintf("%016x", number)
	text := digits + string(mark) + strings.Repeat(digits, padding/16+1)[:padding]
	return socket.Text(text + fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(text))))
}

// open returns the number of a message and whether it wants a reply. ok is whether its checksum
// is right.
func open(content []byte) (number uint64, reply, ok bool) {
	if len(content) < leastLength {
		return 0, false, false
	}
	text, sum := content[:len(content)-8], content[len(content)-8:]
	number, err := strconv.ParseUint(string(text[:16]), 16, 64)
	return number, text[16] == replyMark, err == nil && string(sum) == fmt.Sprintf("%08x", crc32.ChecksumIEEE(text))
}

func TestOpenNoticesEachChangedByte(t *testing.T) {
	whole := messageOf(77, true, 30).Bytes()
	if number, reply, ok := open(whole); number != 77 || !reply || !ok {
		t.Fatalf("open a message: got %d, %v, %v, want 77, true, true", number, reply, ok)
	}
	for i := range whole {
		changed := bytes.Clone(whole)
		changed[i] ^= 1
		if _, _, ok := open(changed); ok {
			t.Errorf("open a message with byte %d changed: got ok", i)
		}
		if _, _, ok := open(whole[:i]); ok {
			t.Errorf("open the first %d bytes of a message: got ok", i)
		}
	}
}
