package stream_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/stream"
)

// modelled is an observer and what it ought to do: its yield holds a value until it is
// told to go on.
type modelled struct {
	capacity int
	overflow stream.Overflow
	run      *stream.Subscription
	goOn     chan bool
	seen     []int // by yield

	first, waiting, want []int
	holds, failed        bool
}

// take is what the observer does of itself.
func (m *modelled) take() {
	for _, queue := range []*[]int{&m.first, &m.waiting} {
		if !m.holds && len(*queue) > 0 {
			m.holds = true
			m.want, *queue = append(m.want, (*queue)[0]), (*queue)[1:]
		}
	}
}

func (m *modelled) next(v int) {
	switch {
	case m.failed:
	case len(m.waiting) < m.capacity:
		m.waiting = append(m.waiting, v)
	case m.overflow == stream.DropOldest:
		m.waiting = append(m.waiting[1:], v)
	case m.overflow == stream.Fail:
		m.failed = true
	}
	m.take()
}

// mayBlock reports whether Next may wait for it: room comes back half a capacity at a time.
func (m *modelled) mayBlock() bool {
	return m.overflow == stream.Block && len(m.waiting)+(m.capacity+1)/2 > m.capacity
}

// TestSubjectAgainstAModel does random things to a replay subject, and to a simple model.
func TestSubjectAgainstAModel(t *testing.T) {
	for seed := range uint64(150) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			keep := 1 + random.IntN(4)
			s := stream.NewReplaySubject[int](keep, 0)
			var history []int
			var observers []*modelled
			for n := range 300 {
				switch r := random.IntN(12); {
				case r == 0 && len(observers) < 6:
					m := &modelled{capacity: 1 + random.IntN(9), overflow: stream.Overflow(random.IntN(4)), goOn: make(chan bool)}
					m.first = slices.Clone(history)
					m.take()
					observers = append(observers, m)
					m.run = s.Observe(m.capacity, m.overflow).Subscribe(t.Context(), stream.Observer[int]{Next: func(v int) {
						m.seen = append(m.seen, v)
						<-m.goOn
					}})
				case r < 7 && !slices.ContainsFunc(observers, (*modelled).mayBlock):
					s.Next(n)
					history = append(history, n)
					history = history[max(0, len(history)-keep):]
					for _, m := range observers {
						m.next(n)
					}
				case len(observers) > 0:
					if m := observers[random.IntN(len(observers))]; m.holds {
						m.goOn <- true
						m.holds = false
						m.take()
					}
				}
				synctest.Wait()
			}
			s.Complete()
			for i, m := range observers {
				close(m.goOn)
				if err := m.run.Wait(); m.failed != errors.Is(err, stream.ErrOverflow) {
					t.Errorf("seed %d, observer %d: %v", seed, i, err)
				}
				want := slices.Concat(m.want, m.first, m.waiting)
				if !slices.Equal(m.seen, want) {
					t.Errorf("seed %d, observer %d (%d, %d): got %v, want %v", seed, i, m.capacity, m.overflow, m.seen, want)
				}
			}
		})
	}
}
