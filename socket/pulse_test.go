package socket

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// TestOneTimerBeatsForAll has connections that came at different times, some of which
// say something now and then: each gets a heartbeat after an interval of silence, or up
// to an eighth later, and whoever is alone at its time.
func TestOneTimerBeatsForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newMemoryListener()
		connections := make(chan *Connection, 100)
		go New(Config{Heartbeat: 800 * time.Millisecond}).Accept(listener)(t.Context(), func(c *Connection) bool {
			connections <- c
			go c.Exchanges().Run(t.Context())
			return true
		})
		for i := range 50 {
			client := listener.client(t, 0).greet()
			synctest.Wait()
			last := time.Now()
			go func() {
				for beats := 0; beats < 20; beats++ {
					if got := client.next(); got != "heartbeat" {
						t.Error(got)
					}
					if silence := time.Since(last); silence < 800*time.Millisecond || silence > 900*time.Millisecond {
						t.Errorf("client %d: a heartbeat after %v", i, silence)
					}
					if last = time.Now(); i%3 == 0 {
						time.Sleep(time.Duration(i) * 7 * time.Millisecond)
						client.send(wire.KindHeartbeat)
						last = time.Now()
					}
				}
				client.leave()
			}()
			time.Sleep(13 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		p := (<-connections).pulse
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.members) != 0 || p.next.Load() != never || p.timer.Stop() {
			t.Error("the pulse goes on without anybody")
		}
		listener.Close()
	})
}

func TestPulseOfALinkThatLeftDoesNotBeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := Config{}.withDefaults()
		pulse := newPulse(&config)
		a, b := newLink(newConn(t), &config, pulse), newLink(newConn(t), &config, pulse)
		pulse.leave(&a)
		a.startClock()
		if pulse.timer != nil {
			t.Error("it beats for nobody")
		}
		pulse.join(&a)
		pulse.join(&b)
		a.startClock()
		pulse.leave(&a)
		pulse.leave(&a)
		if b.place != 1 || len(pulse.members) != 1 {
			t.Error("the other one left", b.place)
		}
		pulse.leave(&b)
		if pulse.timer.Stop() {
			t.Error("it beats for nobody")
		}
	})
}

func TestPulseExpectsNothingOfALinkThatHasWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := Config{Heartbeat: -1, SilenceTimeout: -1}.withDefaults()
		l := newLink(newConn(t), &config, newPulse(&config))
		l.strict = true
		if _, err := l.send(t.Context(), Text("hello")); err != nil {
			t.Fatalf("sending a message that the pipe holds: %v", err)
		}
		if due := l.due(); due != never {
			t.Errorf("a link that has written is due at %v, want never", time.Duration(due))
		}
	})
}

func newConn(t *testing.T) *pipeConn {
	ours, theirs := newPipe(0)
	t.Cleanup(func() { theirs.Close() })
	return ours
}

func TestPulseBeatsNoMoreOftenThanEachGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := Config{}.withDefaults()
		p := newPulse(&config)
		l := newLink(newConn(t), &config, p)
		p.join(&l)
		defer p.leave(&l)
		p.last = p.now()
		if p.expect(p.last + 1); p.next.Load() != p.last+p.gap {
			t.Errorf("what is due right after a beat is done %v after it, want %v", time.Duration(p.next.Load()-p.last), time.Duration(p.gap))
		}
	})
}
