package journal_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats/journal"
	"github.com/rxipc/rxipc/socket/sockettest"
	"github.com/rxipc/rxipc/stream"
)

var name = socket.MustParseName("server")

// network is an IPC in memory.
func network() *socket.IPC {
	config := socket.Config{Transport: sockettest.NewNetwork()}
	config.MaxHeld = 1000
	config.Log = quiet
	return socket.New(config)
}

// echoed are the exchanges of the server, each with itself as its response.
func echoed(ipc *socket.IPC) stream.Observable[socket.Exchange] {
	return stream.Pipe1(socket.Exchanges(ipc.Listen(name)),
		operators.MapErr(func(x socket.Exchange) (socket.Exchange, error) { return x, x.Respond(x.Message) }))
}

// served runs a server until the end of the test, or until the returned function is called.
func served[T any](t *testing.T, run stream.Observable[T], emit func(T)) (end func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run.ForEach(ctx, emit) }()
	end = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { end() })
	return end
}

func connected(t *testing.T, ipc *socket.IPC) *socket.Process {
	t.Helper()
	p, err := ipc.ConnectTo(t.Context(), name).Get()
	if err != nil {
		t.Fatalf("connect: got %v, want no error", err)
	}
	t.Cleanup(func() { p.Close(context.Background()) })
	return p
}

func TestCommitAcknowledgesWhatIsInTheJournal(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	ipc := network()
	var entries []journal.Entry
	end := served(t, j.Commit(echoed(ipc)), func(e journal.Entry) { entries = append(entries, e) })
	p := connected(t, ipc)
	answers, err := p.RequestAll(stream.FromSlice(texts(1, 500))).Collect(t.Context())
	if err != nil || len(answers) != 500 {
		t.Errorf("500 requests: got %d answers, %v; want 500", len(answers), err)
	}
	stored, err := j.Replay(journal.FromBeginning()).Collect(t.Context())
	if err != nil || len(stored) != 500 || stored[499].Content() != "500" {
		t.Errorf("replay: got %d messages, %v; want the 500 that were acknowledged, in their order", len(stored), err)
	}
	p.Close(t.Context())
	if err := end(); !errors.Is(err, context.Canceled) || !slices.Equal(entries, stored) {
		t.Errorf("the stage: got %d entries, %v; want those of the journal", len(entries), err)
	}
}

func TestCommitRejectsWhatTheJournalCannotTake(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	ipc := network()
	served(t, j.Commit(socket.Exchanges(ipc.Listen(name))), func(journal.Entry) {})
	large := socket.NewMessageBytes(socket.OctetStream(), make([]byte, j.MaxMessage()))
	if err := connected(t, ipc).Send(t.Context(), large).Err(); !errors.Is(err, socket.ErrRejected) {
		t.Errorf("send too large a message: got %v, want ErrRejected", err)
	}
	if err := connected(t, ipc).Send(t.Context(), texts(1, 1)...).Err(); err != nil {
		t.Errorf("send a message after it: got %v, want no error", err)
	}
	has(t, j, journal.FromBeginning(), "1:1")
}

func identified(id, content string) socket.Message {
	return socket.NewMessage(socket.MustParseMediaType("text/plain; id="+id), content)
}

func TestCommitStoresAnIDOnce(t *testing.T) {
	folder := t.TempDir()
	j := opened(t, folder, journal.Config{})
	for range 2 { // the second time in another process
		ipc := network()
		end := served(t, j.Commit(socket.Exchanges(ipc.Listen(name))), func(journal.Entry) {})
		p := connected(t, ipc)
		batch := []socket.Message{identified("a", "1"), socket.Text("x"), identified("b", "2"), identified("a", "1")}
		if err := p.Send(t.Context(), batch...).Err(); err != nil {
			t.Errorf("send with ids: got %v, want that all are acknowledged", err)
		}
		p.Close(t.Context())
		end()
		closed(t, j)
		j = opened(t, folder, journal.Config{})
	}
	has(t, j, journal.FromBeginning(), "1:1", "2:x", "3:2", "4:x")
}

func TestAppendTellsWhatItDidNotStore(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	appended(t, j, identified("a", "1"), identified("b", "2"))
	got := described(appended(t, j, identified("c", "3"), identified("b", "2"), socket.Text("4")))
	if want := []string{"3:3", "4:4"}; !slices.Equal(got, want) {
		t.Errorf("append with an id that is there: got the entries %q, want %q", got, want)
	}
}

func TestCommitThatFailsAcknowledgesNothing(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{MaxMessages: 3, Refuse: true})
	ipc := network()
	ended := make(chan error, 1)
	go func() { ended <- j.Commit(socket.Exchanges(ipc.Listen(name))).Run(t.Context()) }()
	p := connected(t, ipc)
	for i := range 3 {
		if err := p.Send(t.Context(), texts(i+1, i+1)...).Err(); err != nil {
			t.Errorf("send: got %v, want no error", err)
		}
	}
	err := p.Send(t.Context(), texts(4, 5)...).Err()
	if failed, ok := errors.AsType[*socket.SendError](err); !ok || failed.Acknowledged != 0 {
		t.Errorf("send to a full journal: got %v, want that nothing is acknowledged", err)
	}
	err = <-ended
	if failed, ok := errors.AsType[*journal.Error](err); !ok || !errors.Is(err, journal.ErrFull) || failed.Journal != "test" || !strings.Contains(err.Error(), "make room") {
		t.Errorf("the server: got %v, want ErrFull and what to do", err)
	}
	has(t, j, journal.FromBeginning(), "1:1", "2:2", "3:3")
}

func TestStoreIsForACommitOfYourOwn(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	ipc := network()
	served(t, stream.Pipe3(
		socket.Exchanges(ipc.Listen(name)),
		operators.Map(socket.Exchange.Hold),
		operators.BufferTimeOrCount[*socket.Held](time.Millisecond, 100),
		socket.Commit(j.Store),
	), func([]*socket.Held) {})
	if err := connected(t, ipc).Send(t.Context(), texts(1, 3)...).Err(); err != nil {
		t.Errorf("send: got %v, want that all are acknowledged", err)
	}
	has(t, j, journal.FromBeginning(), "1:1", "2:2", "3:3")
}

func TestWriteStoresAnySource(t *testing.T) {
	j := opened(t, t.TempDir(), journal.Config{})
	entries, err := j.Write(stream.FromSlice(texts(1, 1500))).Collect(t.Context())
	if err != nil || len(entries) != 1500 || entries[1499].Sequence != 1500 || entries[1499].Content() != "1500" {
		t.Errorf("write 1500 messages: got %d entries, %v; want all", len(entries), err)
	}
	_, err = j.Write(stream.Throw[socket.Message](errors.ErrUnsupported)).Collect(t.Context())
	if err != errors.ErrUnsupported {
		t.Errorf("write a source that fails: got %v, want its error", err)
	}
}
