package operators

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// ErrGroupsStalled says that a run of groups could not go on by itself any more: its
// source waited to hand over a value for a group that nobody had taken yet, or a group
// when too many waited, and whoever was to take it waited, by way of the groups taken
// before, for the source. Read groups at the same time (MergeMap, with no [Limit] or a
// higher one), or let more values wait ([GroupBuffer]).
var ErrGroupsStalled = errors.New("operators: groups stalled")

// standstill notices that a run of groups cannot go on. It reports what is certain:
//
//   - the source waits with a value for a full group that has not been handed out, or to
//     announce a group while as many as may wait do;
//   - the taker, the goroutine that yield is called on, will not take it: it reads the group that it is just being
//     given, and waits for a value of it, or it waits for a place in a MergeMap all of
//     whose places are held by groups whose readers wait for a value, each on the
//     goroutine that MergeMap started for it;
//   - these readers can be ended by nothing but a value, the end of their group, or what
//     ends the run as well: their context has the same end as that of the run.
//
// As long as the source waits, nothing of that changes. So it is looked at when one of
// them is about to wait: first the readers, then the source, since only a reader that
// goes on could free it.
type standstill struct {
	done    <-chan struct{} // of the run's context
	slots   places          // groups that are announced and have not been taken
	current atomic.Pointer[member]
	blocked atomic.Bool // the source waits

	mu     sync.Mutex
	at     *member               // whose value the source waits with; nil if it is a group
	taker  string                // the goroutine that yield is called on, if blocked
	queue  *seats                // where the taker waits for a place; nil if it does not
	failed atomic.Pointer[error] // why the run ends
	keyOf  func(*member) any     // for the error
}

// member is a group as its run's standstill knows it.
type member struct {
	run    *standstill
	source interface { // the group's
		Idle() bool
		Nudge()
		Error(error)
	}
	fate   atomic.Int32
	reader atomic.Pointer[goroutine] // that waits for values; nil if it was not asked
}

// The fate of a group is decided while yield is called with it.
const (
	undecided = iota
	claimed
	abandoned
)

// GiverWaits tells that the source waits with a value for the group, or not any more.
func (m *member) GiverWaits(waits bool) {
	if !waits {
		m.run.goesOn()
	} else if m.fate.Load() == undecided {
		m.run.waitsAt(m)
	}
}

// ReaderWaits tells that the run of the group's Values waits for the source.
func (m *member) ReaderWaits(ctx context.Context) {
	if !m.run.blocked.Load() {
		return
	}
	if m.reader.Load() == nil {
		reader := new(goroutine)
		if done := ctx.Done(); done == nil || done == m.run.done {
			*reader = self()
		}
		m.reader.Store(reader)
	}
	m.run.check()
}

// waitsAt tells that the source is about to wait, with a value for a group, or with a
// group if that is nil.
func (s *standstill) waitsAt(m *member) {
	s.mu.Lock()
	if s.taker == "" {
		s.taker = self().parent()
	}
	s.at = m
	s.blocked.Store(true)
	queue := s.queue
	s.mu.Unlock()
	if queue != nil {
		queue.nudge()
	} else if current := s.current.Load(); current != nil {
		current.source.Nudge()
	}
}

// awaitSlot waits until a group has been taken, and reports whether another may be
// announced.
func (s *standstill) awaitSlot(ctx context.Context) bool {
	s.waitsAt(nil)
	defer s.goesOn()
	return s.slots.take(ctx) && s.failed.Load() == nil
}

// goesOn tells that the source waits no more.
func (s *standstill) goesOn() {
	if s.blocked.Load() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.at = nil
		s.blocked.Store(false)
	}
}

// waitsFor tells that the taker waits for one of the seats, or for none any more.
func (s *standstill) waitsFor(queue *seats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = queue
}

// check ends the run if it is at a standstill: the readers that wait get the error, and
// so does the source.
func (s *standstill) check() {
	s.mu.Lock()
	if !s.blocked.Load() || s.failed.Load() != nil {
		s.mu.Unlock()
		return
	}
	stuck := s.stuck()
	if len(stuck) == 0 || !s.unheard() {
		s.mu.Unlock()
		return
	}
	err := s.reason(stuck)
	s.failed.Store(&err)
	if s.at != nil {
		stuck = append(stuck, s.at)
	}
	s.mu.Unlock()
	for _, m := range stuck {
		m.source.Error(err)
	}
}

// stuck are the groups for whose readers the taker waits, if all of these wait, mu held.
func (s *standstill) stuck() []*member {
	current := s.current.Load()
	if current == nil || s.taker == "" {
		return nil
	}
	if s.queue == nil {
		if reader := current.reader.Load(); reader != nil && reader.id == s.taker && current.source.Idle() {
			return []*member{current}
		}
		return nil
	}
	return s.queue.stuck(s, current)
}

// unheard reports whether the source waits for the taker alone, mu held.
func (s *standstill) unheard() bool {
	if s.at != nil {
		return s.at.fate.Load() == undecided
	}
	return len(s.slots) == cap(s.slots)
}

func (s *standstill) reason(stuck []*member) error {
	what := fmt.Sprintf("announces a group while %d others wait to be taken", cap(s.slots))
	if s.at != nil {
		what = fmt.Sprintf("has a value for the group of %v, which is full and waits to be taken", s.keyOf(s.at))
	}
	whom := fmt.Sprintf("the reader of the group of %v waits", s.keyOf(stuck[0]))
	if len(stuck) > 1 {
		whom = fmt.Sprintf("%d readers of others wait", len(stuck))
	}
	return fmt.Errorf("%w: the source %s, but %s for the source: read groups at the same time, as MergeMap does,"+
		" with a higher Limit or none, or let more values wait with GroupBuffer", ErrGroupsStalled, what, whom)
}

// seats are the places of a run of MergeMap over groups, and the groups that hold them.
type seats struct {
	places
	ask   chan struct{} // a token for a taker that is to look again
	mu    sync.Mutex
	taken map[*member]struct{}
	taker string // the goroutine that waits for a place
	next  *member
}

func newSeats(p places) *seats {
	return &seats{places: p, ask: make(chan struct{}, 1), taken: make(map[*member]struct{})}
}

// take waits for a place for a group, and reports whether there was one before ctx ended.
func (q *seats) take(ctx context.Context, m *member) bool {
	if !q.takeNow() && !q.await(ctx, m) {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken[m] = struct{}{}
	return true
}

// free gives back the place of a group.
func (q *seats) free(m *member) {
	q.mu.Lock()
	delete(q.taken, m)
	q.mu.Unlock()
	<-q.places
}

func (q *seats) await(ctx context.Context, m *member) bool {
	q.mu.Lock()
	q.next = m
	q.mu.Unlock()
	m.run.waitsFor(q)
	defer m.run.waitsFor(nil)
	for {
		if m.run.blocked.Load() {
			q.look(m.run)
		}
		select {
		case q.places <- struct{}{}:
			return true
		case <-ctx.Done():
			return false
		case <-q.ask:
		}
	}
}

// look takes note of the goroutine that waits for a place, and has the readers look.
func (q *seats) look(run *standstill) {
	q.mu.Lock()
	if q.taker == "" {
		q.taker = self().id
	}
	holders := make([]*member, 0, len(q.taken))
	for m := range q.taken {
		holders = append(holders, m)
	}
	q.mu.Unlock()
	for _, m := range holders {
		m.source.Nudge()
	}
	run.check()
}

// nudge makes who waits for a place look again.
func (q *seats) nudge() {
	select {
	case q.ask <- struct{}{}:
	default:
	}
}

// stuck are the groups that hold the places, if the taker of the run waits for one of them with
// the current group and none will be free.
func (q *seats) stuck(s *standstill, current *member) []*member {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.taker != s.taker || q.next != current || len(q.taken) < cap(q.places) {
		return nil
	}
	holders := make([]*member, 0, len(q.taken))
	for m := range q.taken {
		reader := m.reader.Load()
		if m.run != s || reader == nil || !reader.producerOf(s.taker) || !m.source.Idle() {
			return nil
		}
		holders = append(holders, m)
	}
	return holders
}

// goroutine is what its stack says of a goroutine.
type goroutine struct {
	id      string
	creator string // the function that started it, and "in goroutine" with the id of that
}

// self is the calling goroutine. It costs microseconds, so only who waits anyway asks.
func self() goroutine {
	stack := make([]byte, 64<<10)
	text := string(stack[:runtime.Stack(stack, false)])
	id, _, _ := strings.Cut(strings.TrimPrefix(text, "goroutine "), " ")
	_, creator, _ := strings.Cut(text, "\ncreated by ")
	creator, _, _ = strings.Cut(creator, "\n")
	return goroutine{id, creator}
}

// parent is the goroutine that started it, or "".
func (g goroutine) parent() string {
	_, parent, _ := strings.Cut(g.creator, " in goroutine ")
	return parent
}

// producerOf reports whether it is a producer of a stream.Group, and started on a
// goroutine.
func (g goroutine) producerOf(parent string) bool {
	return g.parent() == parent && strings.Contains(g.creator, "/stream.(*Group[")
}

// isGroup reports whether A is a Group.
func isGroup[A any]() bool {
	_, is := any(*new(A)).(interface{ place() *member })
	return is
}
