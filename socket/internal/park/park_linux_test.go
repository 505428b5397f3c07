package park

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// played is a session whose steps a test takes.
type played struct {
	t        *testing.T
	client   net.Conn
	raw      syscall.RawConn
	activity atomic.Uint64
	nudges   atomic.Int32
	runs     chan struct{} // a token for each time the session goes on
	spot     Spot
}

func (p *played) ID() uint64               { return 1 << 40 }
func (p *played) RawConn() syscall.RawConn { return p.raw }
func (p *played) Activity() uint64         { return p.activity.Load() }
func (p *played) Nudge()                   { p.nudges.Add(1) }

// noRead is a socket that nobody reads.
type noRead struct{ syscall.RawConn }

// begin returns a session of the Lot that has entered it.
func begin(t *testing.T, l *Lot) *played {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("socketpair: %v", err)
	}
	p := &played{t: t, runs: make(chan struct{}, 100)}
	for _, end := range []struct {
		descriptor int
		use        func(net.Conn)
	}{
		{pair[0], func(c net.Conn) { p.client = c }},
		{pair[1], func(c net.Conn) { p.raw, err = c.(syscall.Conn).SyscallConn() }},
	} {
		file := os.NewFile(uintptr(end.descriptor), "pair")
		conn, failed := net.FileConn(file)
		file.Close()
		if failed != nil {
			t.Fatalf("making a connection of a socket pair: %v", failed)
		}
		t.Cleanup(func() { conn.Close() })
		if end.use(conn); err != nil {
			t.Fatalf("SyscallConn: %v", err)
		}
	}
	l.Begin(&p.spot, p, func() { p.runs <- struct{}{} })
	p.awaitRun("Begin")
	if !p.spot.Enter(time.Hour) {
		t.Fatal("Enter of a session on a socket reports that it cannot park")
	}
	return p
}

// awaitRun waits until the session goes on.
func (p *played) awaitRun(after string) {
	p.t.Helper()
	select {
	case <-p.runs:
	case <-time.After(time.Minute):
		p.t.Fatalf("%s: the session does not go on", after)
	}
}

// park makes a session rest and park.
func (p *played) park() {
	p.t.Helper()
	for range 2 {
		p.spot.lot.Sweep()
	}
	if !p.spot.Rests() || !p.spot.Park() || !p.spot.IsParked() {
		p.t.Fatal("a session without messages has not parked after two sweeps")
	}
}

// watched returns a Lot with a goroutine that waits, and what to wait for until it has ended.
func watched(t *testing.T) (*Lot, *sync.WaitGroup) {
	t.Helper()
	watching := new(sync.WaitGroup)
	return NewLot(func(watch func()) { watching.Go(watch) }), watching
}

func TestSessionRestsOnceASweepFindsNoMessageSinceTheLast(t *testing.T) {
	l, _ := watched(t)
	s := begin(t, l)
	for i, step := range []struct {
		message bool
		rests   bool
		nudges  int32
	}{
		{false, false, 0}, {false, true, 1}, // since it entered
		{true, false, 1}, {true, false, 1}, {false, true, 2},
	} {
		if step.message {
			s.activity.Add(1)
			s.spot.Rests() // it looks
		}
		l.Sweep()
		if rests, nudges := s.spot.Rests(), s.nudges.Load(); rests != step.rests || nudges != step.nudges {
			t.Errorf("step %d: rests %v after %d nudges, want %v after %d", i, rests, nudges, step.rests, step.nudges)
		}
	}
	s.spot.Leave()
}

func TestTimerRunsWhileASessionIsAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := watched(t)
		s := &played{t: t, raw: noRead{}, runs: make(chan struct{}, 100)}
		l.Begin(&s.spot, s, func() {})
		s.spot.Enter(time.Second)
		for range 10 {
			time.Sleep(999 * time.Millisecond)
			s.activity.Add(1)
		}
		if time.Sleep(2001 * time.Millisecond); s.nudges.Load() != 1 || !s.spot.Rests() {
			t.Errorf("%d nudges two seconds after the last message, want 1", s.nudges.Load())
		}
		l.mu.Lock()
		if l.awake != nil || l.timer.Stop() {
			t.Error("the timer runs for no session")
		}
		l.mu.Unlock()
		s.activity.Add(1)
		if s.spot.Rests() || !l.timer.Stop() {
			t.Error("after a message the session rests, or no timer runs")
		}
		s.spot.Leave()
	})
}

func TestParkedSessionGoesOnForBytesAndForTheEnd(t *testing.T) {
	l, watching := watched(t)
	s := begin(t, l)
	s.park()
	for range 3 {
		s.client.Write([]byte("x"))
		s.awaitRun("a byte came")
		if s.spot.IsParked() || !s.spot.Rests() {
			t.Error("a session that was resumed without a message is parked, or does not park again at once")
		}
		s.raw.Read(func(descriptor uintptr) bool {
			_, err := unix.Read(int(descriptor), make([]byte, 9))
			return err == nil
		})
		if !s.spot.Park() {
			t.Error("a session that has read what came does not park again")
		}
	}
	s.client.Close()
	s.awaitRun("the client left")
	s.spot.Leave()
	watching.Wait()
	if l.poller != nil || l.parked != nil || l.timer.Stop() {
		t.Error("a Lot without sessions holds something")
	}
	again := begin(t, l)
	again.park()
	again.spot.Resume()
	again.awaitRun("Resume in a Lot that is used again")
	again.spot.Leave()
	watching.Wait()
}

func TestParkDeclinesASessionThatIsWanted(t *testing.T) {
	l := &Lot{run: func(func()) {}, poll: func() (poller, error) { return newFailing(nil), nil }}
	s := begin(t, l)
	s.spot.Resume()
	s.spot.Resume()
	if s.spot.Park() {
		t.Error("a session parks that was resumed just before it, want that it looks around")
	}
	if !s.spot.Park() {
		t.Error("a session does not park after it has looked around")
	}
	s.spot.Resume()
	s.awaitRun("Resume of a parked session")
	s.spot.Resume() // for a session that has a goroutine again
	if len(s.runs) > 0 {
		t.Error("a session runs on two goroutines")
	}
	s.spot.Leave()
}

// failing is a poller that fails once it is closed.
type failing struct {
	added  error // what add returns
	fail   chan struct{}
	closed *sync.Once
}

func newFailing(added error) failing { return failing{added, make(chan struct{}), new(sync.Once)} }

func (f failing) add(uint64, syscall.RawConn, bool) error { return f.added }
func (f failing) wait() ([]uint64, error)                 { <-f.fail; return nil, io.ErrClosedPipe }
func (f failing) close()                                  { f.closed.Do(func() { close(f.fail) }) }

func TestSessionKeepsItsGoroutineWhereTheSystemCannotWatch(t *testing.T) {
	blind, dying := newFailing(io.ErrClosedPipe), newFailing(nil)
	for name, test := range map[string]struct {
		poll  func() (poller, error)
		parks bool
	}{
		"no poller":    {func() (poller, error) { return nil, errors.New("no descriptor is left") }, false},
		"cannot watch": {func() (poller, error) { return blind, nil }, false},
		"fails later":  {func() (poller, error) { return dying, nil }, true},
	} {
		t.Run(name, func(t *testing.T) {
			l, watching := watched(t)
			l.poll = test.poll
			s := begin(t, l)
			l.Sweep()
			l.Sweep()
			if got := s.spot.Park(); got != test.parks {
				t.Errorf("the session parks: %v, want %v", got, test.parks)
			}
			if test.parks {
				dying.close()
				s.awaitRun("the poller failed")
			}
			if s.spot.IsParked() || s.spot.Rests() {
				t.Error("the session is parked or rests, want that it waits on its goroutine")
			}
			s.spot.Leave()
			watching.Wait()
		})
	}
}
