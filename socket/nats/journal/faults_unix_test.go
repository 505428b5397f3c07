//go:build unix

package journal_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/internal/programtest"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats/journal"
	"github.com/rxipc/rxipc/socket/sender"
	"github.com/rxipc/rxipc/stream"
)

func TestMain(m *testing.M) { programtest.Main(m, faultServer) }

// tally is what a state knows of the messages of a client, which are numbered from 1.
type tally struct{ First, Last, Wrong int }

// tallies has the tally of each client. Wrong counts each message that does not follow the one
// before: lost, doubled or out of order.
var tallies = fold.ByKey[string](fold.New(func() tally { return tally{} }, func(a, b tally) tally {
	if a == (tally{}) {
		return b
	}
	if b == (tally{}) {
		return a
	}
	wrong := a.Wrong + b.Wrong
	if a.Last+1 != b.First {
		wrong++
	}
	return tally{a.First, b.Last, wrong}
}))

// counted is the state of the fault program.
var counted = journal.State[map[string]tally]{
	Name:   "counted",
	Monoid: tallies,
	Of: func(e journal.Entry) map[string]tally {
		client, number, _ := strings.Cut(e.Content(), " ")
		n, _ := strconv.Atoi(number)
		return map[string]tally{client: {n, n, 0}}
	},
	Every: 50,
}

// faultServer is the server that is killed. Its arguments are the folder of its socket and that of
// its journal.
func faultServer() {
	config := socket.Config{Dir: os.Args[1]}
	config.MaxHeld = 1000
	config.Listening = func(socket.Name) { fmt.Println("listening") }
	j, err := journal.Open(context.Background(), os.Args[2], "test", journal.Config{})
	if err == nil {
		exchanges := socket.Exchanges(socket.New(config).Listen(name))
		err = stream.Pipe2(exchanges, j.Commit, counted.Fold(j)).Run(context.Background())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// TestFaultsOfAJournal kills a server with its broker at random points, while clients send to it:
// clients that send again, with ids, and others that do not. It takes RXIPC_FAULTS, such as 5m; by
// default 3 s.
func TestFaultsOfAJournal(t *testing.T) {
	duration := 3 * time.Second
	if text := os.Getenv("RXIPC_FAULTS"); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatalf("parse RXIPC_FAULTS: %v", err)
		}
	}
	dir := programtest.Dir(t)
	folder := filepath.Join(dir, "journal")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ipc := socket.New(socket.Config{Dir: dir, Log: quiet})
	var clients sync.WaitGroup
	again, once := make([]int, 3), make([]map[int]bool, 2)
	for i := range again {
		clients.Go(func() { again[i] = sendsAgain(ctx, ipc, fmt.Sprint("again", i)) })
	}
	for i := range once {
		clients.Go(func() { once[i] = sendsOnce(ctx, ipc, fmt.Sprint("once", i)) })
	}
	kills := killing(t, dir, folder, duration)
	stop()
	clients.Wait()

	j := opened(t, folder, journal.Config{})
	carry, err := counted.Replay(j).Last(context.Background()).Get()
	if err != nil {
		t.Fatalf("fold what the servers have left: %v", err)
	}
	total := 0
	for i, acknowledged := range again {
		got := carry.Value[fmt.Sprint("again", i)]
		if got.Wrong != 0 || got.Last < acknowledged || got.Last > 0 && got.First != 1 {
			t.Errorf("client %d that sends again: got %+v in the carry, want 1 up to at least %d without a fault", i, got, acknowledged)
		}
		total += acknowledged
	}
	total += expectOnce(t, j, once)
	t.Logf("%d kills, %d messages acknowledged, %d in the journal", kills, total, carry.Sequence)
	if kills == 0 || total == 0 {
		t.Errorf("faults: got %d kills and %d acknowledged messages, want some of both", kills, total)
	}
}

// killing runs servers, and kills each at a random point, until the time is over. The last one is
// killed, too.
func killing(t *testing.T, dir, folder string, duration time.Duration) (kills int) {
	t.Helper()
	for end := time.Now().Add(duration); kills < 2 || time.Now().Before(end); kills++ {
		server := programtest.Start(t, "", dir, folder)
		if rand.IntN(4) > 0 { // otherwise it may be killed while it starts
			server.Await("listening")
		}
		time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond) // the random point
		server.Signal(os.Kill)
		if result := server.Wait(); result.Code != -1 {
			t.Errorf("kill a server: got %+v, want that it was killed, and had not failed before", result)
		}
	}
	return kills
}

// sendsAgain sends numbered messages with ids until ctx ends, each until it is acknowledged. It
// returns the number of the last that was.
func sendsAgain(ctx context.Context, ipc *socket.IPC, client string) (acknowledged int) {
	messages := stream.Pipe1(stream.Range(1, 1<<30), operators.Map(func(i int) socket.Message {
		return sender.Identified(socket.Text(fmt.Sprint(client, " ", i)))
	}))
	_ = sender.New(ipc, name, sender.Config{Buffer: 200}).SendAll(messages).ForEach(ctx, func(d sender.Delivery) {
		if d.Err == nil {
			acknowledged++
		}
	})
	return acknowledged
}

// sendsOnce sends numbered messages until ctx ends, each once, and returns those that were
// acknowledged.
func sendsOnce(ctx context.Context, ipc *socket.IPC, client string) map[int]bool {
	acknowledged := map[int]bool{}
	for i := 1; ctx.Err() == nil; {
		p, err := ipc.ConnectTo(ctx, name).Get()
		for ; err == nil; i++ {
			if err = p.Send(ctx, socket.Text(fmt.Sprint(client, " ", i))).Err(); err == nil {
				acknowledged[i] = true
			}
		}
		if p != nil {
			p.Conn().Close()
		}
	}
	return acknowledged
}

// expectOnce fails the test unless each message of the clients that send once is in the journal at
// most once, in order, and all that were acknowledged are. It returns the number of these.
func expectOnce(t *testing.T, j *journal.Journal, once []map[int]bool) (total int) {
	t.Helper()
	last := map[string]int{}
	err := j.Replay(journal.FromBeginning()).ForEach(context.Background(), func(e journal.Entry) {
		client, number, _ := strings.Cut(e.Content(), " ")
		n, err := strconv.Atoi(number)
		if err != nil || n <= last[client] {
			t.Errorf("message %d of the journal: got %q after %d, want a higher number", e.Sequence, e.Content(), last[client])
		}
		last[client] = n
		for i := range once {
			if client == fmt.Sprint("once", i) && once[i][n] {
				delete(once[i], n)
				total++
			}
		}
	})
	for i := range once {
		if len(once[i]) > 0 || err != nil {
			t.Errorf("client %d that sends once: %d acknowledged messages are lost, %v", i, len(once[i]), errors.Join(err))
		}
	}
	return total
}
