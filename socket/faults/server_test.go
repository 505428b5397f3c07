//go:build unix

package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rxipc/rxipc/socket"
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
	served := socket.Serve(ipc, victim, tallies).With(ctx,
		func(m socket.Message, c socket.Continuation[tally], carry tally) socket.Continuation[tally] {
			number, err := numberOf(m)
			if err != nil {
				return c.Finish() // sent by a misbehaving client
			}
			handled.add(number)
			if wantsReply(m) {
				c = c.Respond(m)
			}
			return c.CarryWith(carry.with(number))
		})
	var interrupted *socket.SignalError
	carry, ok := socket.Carry(served).Get()
	if !ok || !errors.As(served.Err(), &interrupted) {
		fmt.Fprintln(os.Stderr, "server:", served.Err())
	}
	if ok {
		say(report{Carry: &carry})
	}
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

// The content of a message: its number, whether it wants a reply, and padding.
const replyMark = "?"

func messageOf(number uint64, reply bool, padding int) socket.Message {
	mark := "."
	if reply {
		mark = replyMark
	}
	return socket.Text(fmt.Sprintf("%016x", number) + mark + strings.Repeat("x", padding))
}

func numberOf(m socket.Message) (uint64, error) {
	if m.Len() < 17 {
		return 0, fmt.Errorf("read the number of a message: the content has %d bytes, want at least 17", m.Len())
	}
	return strconv.ParseUint(m.Content()[:16], 16, 64)
}

func wantsReply(m socket.Message) bool { return m.Content()[16:17] == replyMark }
