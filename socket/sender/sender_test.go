package sender_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/sender"
	"github.com/rxipc/rxipc/socket/sockettest"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

var name = socket.MustParseName("logs")

// network is a network whose connections can be cut.
type network struct {
	*sockettest.Network
	mu    sync.Mutex
	conns []net.Conn
}

func (n *network) Listen(ctx context.Context, name socket.Name) (net.Listener, error) {
	l, err := n.Network.Listen(ctx, name)
	return &listener{l, n}, err
}

// listener keeps the connections that it accepts.
type listener struct {
	net.Listener
	network *network
}

func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	if err == nil {
		l.network.conns = append(l.network.conns, conn)
	}
	return conn, err
}

// cut ends all connections as the death of the server does.
func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, conn := range n.conns {
		conn.Close()
	}
	n.conns = nil
}

// world is a network with at most one server, whose handler notes what it gets.
type world struct {
	t       *testing.T
	network *network
	ipc     *socket.IPC

	listening chan struct{} // a token from each server

	mu      sync.Mutex
	handled []string
	fail    func(content string) error // what the handler rejects; nil: nothing
	end     func()
}

func newWorld(t *testing.T) *world {
	n := &network{Network: sockettest.NewNetwork()}
	w := &world{t: t, network: n, listening: make(chan struct{}), end: func() {}}
	w.ipc = socket.New(socket.Config{
		Transport:    n,
		Log:          slog.New(slog.DiscardHandler),
		ServerConfig: socket.ServerConfig{Listening: func(socket.Name) { w.listening <- struct{}{} }},
	})
	return w
}

// serve starts the server, and returns when it listens.
func (w *world) serve() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		socket.Exchanges(w.ipc.Listen(name)).ForEach(ctx, func(x socket.Exchange) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.fail != nil {
				if err := w.fail(x.Content()); err != nil {
					x.Reject(err)
					return
				}
			}
			w.handled = append(w.handled, x.Content())
			x.Respond(socket.Text("a response that nobody reads"))
		})
	}()
	<-w.listening
	w.end = sync.OnceFunc(func() { cancel(); <-ended })
}

// expect compares what was handled with the contents.
func (w *world) expect(want ...string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.handled, want) {
		w.t.Errorf("send: the server has handled %q, want %q", w.handled, want)
	}
}

// texts are messages with numbers.
func texts(from, to int) (list []string) {
	for i := from; i <= to; i++ {
		list = append(list, fmt.Sprint(i))
	}
	return list
}

func source(contents ...string) stream.Observable[socket.Message] {
	return operators.Map(socket.Text)(stream.FromSlice(contents))
}

// show is a delivery in a word: a question mark if it is doubtful, a ! if it was given up.
func show(d sender.Delivery) string {
	text := d.Message.Content()
	if d.Doubtful {
		text += "?"
	}
	if d.Err != nil {
		text += "!"
	}
	return text
}

func TestSenderWaitsForAServerAndGoesOnWhenItRestarts(t *testing.T) {
	for _, spool := range []string{"", t.TempDir()} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			var lost []error
			s := sender.New(w.ipc, name, sender.Config{Spool: spool, Lost: func(err error) { lost = append(lost, err) }})
			lines := stream.NewUnicast[socket.Message](t.Context(), 1, stream.Block)
			got := make(chan []string)
			go func() {
				list, err := operators.Map(show)(s.SendAll(lines.Observe)).Collect(t.Context())
				if err != nil {
					t.Errorf("send: got %v, want no error", err)
				}
				got <- list
			}()
			lines.Next(socket.Text("1")) // no server is there
			time.Sleep(time.Hour)
			w.serve()
			time.Sleep(time.Minute)
			lines.Next(socket.Text("2"))
			synctest.Wait()
			w.end()
			lines.Next(socket.Text("3"))
			time.Sleep(time.Minute)
			w.serve()
			time.Sleep(time.Minute)
			w.network.cut() // when nothing is on its way
			lines.Next(socket.Text("4"))
			lines.Complete()
			if list, want := <-got, []string{"1", "2", "3", "4"}; !slices.Equal(list, want) {
				t.Errorf("send: the deliveries are %q, want %q", list, want)
			}
			w.expect("1", "2", "3", "4")
			if len(lost) != 2 || !errors.Is(lost[0], socket.ErrShutdown) {
				t.Errorf("send: Lost got %v, want the shutdown and the cut", lost)
			}
			w.end()
		})
	}
}

func TestSenderSaysWhatIsDoubtful(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.fail = func(content string) error {
			if content == "3" { // handled, and not acknowledged
				w.fail = nil
				w.network.cut()
			}
			return nil
		}
		w.serve()
		s := sender.New(w.ipc, name, sender.Config{})
		got, err := operators.Map(show)(s.SendAll(source(texts(1, 5)...))).Collect(t.Context())
		if want := []string{"1?", "2?", "3?", "4?", "5?"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("send while the connection is cut: got %q, %v, want %q", got, err, want)
		}
		handled := len(w.handled)
		if handled < 8 || !slices.Equal(w.handled[:3], texts(1, 3)) || !slices.Equal(w.handled[handled-5:], texts(1, 5)) {
			t.Errorf("send while the connection is cut: the server has handled %q, want 1 to 3 at least, and then all again", w.handled)
		}
		w.end()
	})
}

func TestSenderGivesUpWhatTheServerRejects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		tries := 0
		w.fail = func(content string) error {
			if content == "2" || content == "4" && tries == 0 {
				tries++
				return errors.New("no")
			}
			return nil
		}
		w.serve()
		s := sender.New(w.ipc, name, sender.Config{Attempts: 2})
		var errs []error
		got, err := operators.Map(func(d sender.Delivery) string {
			errs = append(errs, d.Err)
			return show(d)
		})(s.SendAll(source(texts(1, 4)...))).Collect(t.Context())
		if want := []string{"1", "2?!", "3", "4"}; err != nil || !slices.Equal(got, want) || !errors.Is(errs[1], socket.ErrRejected) {
			t.Errorf("send what the server rejects: got %q, %v, the errors %v, want %q", got, err, errs, want)
		}
		w.expect("1", "3", "4")
		w.end()
	})
}

func TestSenderFailsAfterWhatCannotBeSent(t *testing.T) {
	for reason, bad := range map[error]socket.Message{
		socket.ErrReserved: socket.Text("innmind/ipc:ack"),
		socket.ErrInvalid:  {},
		socket.ErrTooLarge: socket.Text(strings.Repeat("x", 17<<20)),
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.serve()
			got, err := operators.Map(show)(sender.New(w.ipc, name, sender.Config{}).
				SendAll(stream.FromSlice([]socket.Message{socket.Text("1"), bad, socket.Text("2")}))).Collect(t.Context())
			if !slices.Equal(got, []string{"1"}) || !errors.Is(err, reason) {
				t.Errorf("send %v: got %q, %v, want one delivery and %v", bad, got, err, reason)
			}
			w.expect("1")
			w.end()
		})
	}
}

func TestSenderFailsAfterItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve()
		broken := errors.New("broken")
		failing := func(ctx context.Context, yield func(socket.Message) bool) error {
			if yield(socket.Text("1")) {
				return broken
			}
			return nil
		}
		got, err := operators.Map(show)(sender.New(w.ipc, name, sender.Config{}).SendAll(failing)).Collect(t.Context())
		var e *sender.Error
		if !slices.Equal(got, []string{"1"}) || !errors.Is(err, broken) || !errors.As(err, &e) || e.Delivered != 1 || e.Unsent != 0 {
			t.Errorf("send from a source that fails: got %q, %v, want one delivery and its error", got, err)
		}
		w.end()
	})
}

func TestSenderCountsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := sender.New(w.ipc, name, sender.Config{}).SendAll(source(texts(1, 5)...)).Run(ctx)
		var e *sender.Error
		if !errors.As(err, &e) || e.Delivered != 0 || e.Doubtful != 0 || e.Unsent != 5 ||
			!errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, socket.ErrNotListening) {
			t.Errorf("send without a server: got %v, want 5 unsent, DeadlineExceeded and ErrNotListening", err)
		}
	})
}

func TestSenderAppliesItsOverflow(t *testing.T) {
	for _, spool := range []string{"", t.TempDir()} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			config := sender.Config{Buffer: 3, Spool: spool, SpoolBytes: 8 + 3*(8+2+10+1), Overflow: stream.Fail}
			err := sender.New(w.ipc, name, config).SendAll(source(texts(1, 5)...)).Run(t.Context())
			var e *sender.Error
			if !errors.Is(err, stream.ErrOverflow) || !errors.As(err, &e) || e.Unsent != 3 {
				t.Errorf("overflow Fail in %q: got %v, want ErrOverflow and 3 unsent", spool, err)
			}
			config.Overflow = stream.DropOldest
			if err := sender.New(w.ipc, name, config).SendAll(source()).Run(t.Context()); !errors.Is(err, socket.ErrInvalid) {
				t.Errorf("overflow DropOldest in %q: got %v, want ErrInvalid", spool, err)
			}
			config.Overflow = stream.DropNewest
			if spool != "" {
				config.Spool = t.TempDir()
			}
			var drops stream.Drops
			serves := make(chan struct{})
			time.AfterFunc(time.Minute, func() { w.serve(); close(serves) })
			got, err := operators.Map(show)(sender.New(w.ipc, name, config).SendAll(source(texts(1, 5)...))).Collect(stream.WithDrops(t.Context(), &drops))
			<-serves
			if !slices.Equal(got, texts(1, 3)) || err != nil || drops.Total() != 2 {
				t.Errorf("overflow DropNewest in %q: got %q, %v and %d drops, want 3 deliveries and 2 drops", spool, got, err, drops.Total())
			}
			w.end()
		})
	}
}

func TestSenderBlocksItsSource(t *testing.T) {
	for _, spool := range []string{"", t.TempDir()} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			emitted := 0
			counted := operators.Tap(func(socket.Message) { emitted++ })
			config := sender.Config{Buffer: 3, Spool: spool, SpoolBytes: 8 + 3*(8+2+10+1)}
			done := make(chan error)
			go func() {
				done <- sender.New(w.ipc, name, config).SendAll(counted(source(texts(1, 9)...))).Run(t.Context())
			}()
			synctest.Wait()
			if emitted != 4 {
				t.Errorf("send without a server: the source has emitted %d messages, want 3 that wait, and one for which there is no room", emitted)
			}
			w.serve()
			if err := <-done; err != nil {
				t.Errorf("send: got %v, want no error", err)
			}
			w.expect(texts(1, 9)...)
			w.end()
		})
	}
}

func TestSenderKeepsTheContract(t *testing.T) {
	streamtest.CheckOperator(t, func(contents stream.Observable[string]) stream.Observable[string] {
		return served(contents, func() string { return "" })
	}, []string{"1", "2", "3"}, []string{"1", "2", "3"}, streamtest.ReadAhead(8192))
}

func TestSenderWithASpoolKeepsTheContract(t *testing.T) {
	streamtest.CheckOperator(t, func(contents stream.Observable[string]) stream.Observable[string] {
		return served(contents, func() string { return t.TempDir() })
	}, []string{"1", "2", "3"}, []string{"1", "2", "3"}, streamtest.ReadAhead(8192))
}

// served sends what an observable emits to a server of the run's own.
func served(contents stream.Observable[string], spool func() string) stream.Observable[string] {
	return func(ctx context.Context, yield func(string) bool) error {
		w := newWorld(nil)
		w.serve()
		defer w.end()
		s := sender.New(w.ipc, name, sender.Config{Spool: spool(), SpoolBytes: 4 << 10})
		return operators.Map(show)(s.SendAll(operators.Map(socket.Text)(contents)))(ctx, yield)
	}
}
