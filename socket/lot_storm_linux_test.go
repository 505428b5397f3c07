package socket

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"testing"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// failing is a poller that fails once it is closed.
type failing struct {
	added  error // what add returns
	fail   chan struct{}
	closed *sync.Once
}

func newFailing(added error) failing { return failing{added, make(chan struct{}), new(sync.Once)} }

func (f failing) add(*Connection, bool) error { return f.added }
func (f failing) wait() ([]uint64, error)     { <-f.fail; return nil, io.ErrClosedPipe }
func (f failing) close()                      { f.closed.Do(func() { close(f.fail) }) }

// TestSessionsKeepTheirGoroutinesWhenTheSystemCannotWatch lets the poller fail in each possible
// way.
func TestSessionsKeepTheirGoroutinesWhenTheSystemCannotWatch(t *testing.T) {
	blind, dying := newFailing(io.ErrClosedPipe), newFailing(nil)
	for name, poll := range map[string]func() (poller, error){
		"no poller":    func() (poller, error) { return nil, errors.New("no descriptor is left") },
		"cannot watch": func() (poller, error) { return blind, nil },
		"fails later":  func() (poller, error) { return dying, nil },
	} {
		t.Run(name, func(t *testing.T) {
			var once sync.Once
			s := serveOnSocket(t, Config{}, func(m Message, c Continuation[int], count int) Continuation[int] {
				once.Do(func() { // a session that handles a message does not park
					l := c.Connection().stay.Load().lot
					l.mu.Lock()
					defer l.mu.Unlock()
					l.poll = poll
				})
				return echo(m, c, count)
			})
			client, c := s.dial()
			stay := c.stay.Load()
			if name == "fails later" {
				awaitParked(t, c)
				dying.close()
			} else {
				eventually(t, "told", func() bool { stay.lot.sweep(); return stay.resting.Load() })
				eventually(t, "not parked", func() bool { return !stay.resting.Load() })
			}
			for range 3 {
				client.send("again")
				client.expect("ack", `"echo: again"`)
			}
			other, _ := s.dial()
			s.end()
			for _, client := range []*peer{client, other} {
				client.expect("close")
				client.send(wire.KindCloseOK)
				client.expect("EOF")
			}
			interrupted(t, <-s.result, 5, context.Canceled)
		})
	}
}

// TestStormOfParkingAndResuming has clients talk, be pushed to and be called while their
// sessions park as often as they can.
func TestStormOfParkingAndResuming(t *testing.T) {
	s := serveOnSocket(t, Config{}, echo)
	const rounds, clients = 100, 8
	over := make(chan struct{})
	var working, disturbing sync.WaitGroup
	var once sync.Once
	parked := make(chan struct{}, clients) // each has been seen parked
	for i := range clients {
		client, c := s.dial()
		once.Do(func() { l := c.stay.Load().lot; disturbing.Go(func() { disturb(over, l.sweep) }) })
		disturbing.Go(func() { disturb(over, c.callReader) })
		working.Go(func() {
			random := newRandom(uint64(i))
			for range rounds {
				switch random.IntN(4) {
				case 0:
					awaitIdle(t, c)
					if isParked(c) {
						select {
						case parked <- struct{}{}:
						default:
						}
					}
				case 1:
					client.send(wire.KindHeartbeat)
				case 2:
					if err := c.Send(t.Context(), Text("pushed")); err != nil {
						t.Errorf("Send to a client that is there: got %v, want nil", err)
					}
					client.expect(`"pushed"`)
				}
				client.send("a", "b")
				client.expect("ack", `"echo: a"`, "ack", `"echo: b"`)
			}
			if i%2 == 0 {
				client.leave()
			} else {
				client.conn.Close()
			}
		})
	}
	working.Wait()
	s.end()
	interrupted(t, <-s.result, clients*(2*rounds+1), context.Canceled)
	close(over)
	disturbing.Wait()
	if len(parked) == 0 {
		t.Error("none has parked")
	}
}

// disturb does something all the time.
func disturb(over <-chan struct{}, what func()) {
	for {
		select {
		case <-over:
			return
		default:
			what()
			runtime.Gosched()
		}
	}
}

// awaitIdle waits until the session rests, if only for a moment.
func awaitIdle(t *testing.T, c *Connection) {
	stay := c.stay.Load()
	eventually(t, "resting", func() bool { return stay.resting.Load() })
}

func TestSessionThatIsWantedDoesNotPark(t *testing.T) {
	ours, _ := unixPair(t)
	config := Config{}.withDefaults()
	c := newConnection(ours, &config, newPulse(&config))
	started := 0
	l := &lot{run: func(func()) {}, poll: func() (poller, error) { return newFailing(nil), nil }}
	s := newStay(c, nil)
	l.begin(s, func() { started++ })
	l.enter(s)
	want := func(parks bool, starts int) {
		t.Helper()
		if got := l.park(s); got != parks {
			t.Error("it parks:", got)
		}
		s.resume()
		s.resume() // has nothing to do
		if started != 1+starts {
			t.Error("it was started", started, "times")
		}
	}
	want(true, 1)
	c.called.Store(true) // by who comes to resume it just before it parks
	want(false, 1)
	c.called.Store(false)
	want(true, 2)
	c.cancel(errEnough)
	want(false, 2)
	c.conn.Close()
	l.leave(s)
	if c.stay.Load() != nil || l.poller != nil || l.timer.Stop() {
		t.Error("something is left in the lot")
	}
}
