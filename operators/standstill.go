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

// ErrGroupsStalled says that a run of groups could not go on by itself any more. Its source
// had a value for a full group that nobody had taken yet, or one more group than may wait.
// The reader that was to take it waited for a value of an earlier group, and so for the
// source. Read groups at the same time (MergeMap, with no [Limit] or a higher one), or let
// more values wait ([GroupBuffer]).
var ErrGroupsStalled = errors.New("operators: groups stalled")

// standstill notices that a run of groups cannot go on. It reports what is certain:
//
//   - The source waits with a value for a full group that has not been handed out, or it
//     waits to announce a group and all slots are taken.
//   - The taker, which is the goroutine that yield is called on, will not take that group.
//     Either it reads the group that yield was called with last, and waits for a value of
//     that; or it waits for a place in a MergeMap. Then groups hold all the places, and
//     their readers wait for values, each on the goroutine that MergeMap started for it.
//   - Nothing can end these readers but a value, the end of their group, or the end of the
//     run: their context ends with that of the run, or never.
//
// As long as the source waits, nothing of that changes. So check looks at it whenever a
// reader, the taker or the source is about to wait. The source has the others look again,
// since only they know whether they wait.
type standstill struct {
	done    <-chan struct{}       // of the run's context
	slots   places                // groups that are announced and have not been taken
	blocked atomic.Bool           // the source waits
	failed  atomic.Pointer[error] // why the run ends
	keyOf   func(*member) any     // for the error

	mu      sync.Mutex // all below
	at      *member    // the full group, if blocked; nil if the source waits for a slot
	current *member    // the group that yield was called with last
	taker   string     // the goroutine that yield is called on; "" until the source has waited
	queue   *seats     // where the taker waits for a place; nil if it does not
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

// ProducerWaits notes that the source waits with a value for the group, or waits no more.
func (m *member) ProducerWaits(waits bool) {
	if !waits {
		m.run.goesOn()
	} else if m.fate.Load() == undecided {
		m.run.waitsAt(m)
	}
}

// ConsumerWaits notes that the run of the group's Values waits for the source.
func (m *member) ConsumerWaits(ctx context.Context) {
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

// waitsAt notes that the source is about to wait: for room in the group m, or for a slot if
// m is nil.
func (s *standstill) waitsAt(m *member) {
	s.mu.Lock()
	if m == nil && len(s.slots) < cap(s.slots) { // the taker has just freed one
		s.mu.Unlock()
		return
	}
	if s.taker == "" {
		s.taker = self().parent()
	}
	s.at = m
	s.blocked.Store(true)
	queue, current := s.queue, s.current
	s.mu.Unlock()
	if queue != nil {
		queue.nudge()
	} else if current != nil {
		current.source.Nudge()
	}
}

// awaitSlot waits until a group has been taken, and reports whether another may be
// announced.
func (s *standstill) awaitSlot(ctx context.Context) bool {
	s.waitsAt(nil)
	return s.slots.take(ctx) && s.failed.Load() == nil
}

// took notes that the taker has a group now, and frees its slot. A source that waits for a
// slot has that one from here on, also while it is still asleep.
func (s *standstill) took(m *member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	<-s.slots
	s.current = m
	if s.at == nil {
		s.blocked.Store(false)
	}
}

// goesOn notes that the source waits no more for room in a group.
func (s *standstill) goesOn() {
	if s.blocked.Load() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.at = nil
		s.blocked.Store(false)
	}
}

// waitsFor notes that the taker waits for one of the seats, or for none any more.
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
	handedOut := s.at != nil && s.at.fate.Load() != undecided
	stuck := s.stuck()
	if handedOut || len(stuck) == 0 {
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

// stuck returns the groups whose readers the taker waits for, if all these readers wait;
// otherwise nil. mu is held.
func (s *standstill) stuck() []*member {
	if s.queue != nil {
		return s.queue.stuck(s)
	}
	if s.current == nil || s.taker == "" { // the source's stack may be too deep to show the taker
		return nil
	}
	reader := s.current.reader.Load()
	if reader == nil || reader.id != s.taker || !s.current.source.Idle() {
		return nil
	}
	return []*member{s.current}
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
	ask   chan struct{} // a token makes the goroutine that waits for a place look again
	mu    sync.Mutex
	taken map[*member]struct{}
	taker string  // the goroutine that waits for a place; "" until one had to look
	next  *member // the group that waits for a place, or was the last to do so
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

// look notes the goroutine that waits for a place, and has the readers look again.
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

// nudge makes the goroutine that waits for a place look again.
func (q *seats) nudge() {
	select {
	case q.ask <- struct{}{}:
	default:
	}
}

// stuck returns the groups that hold the places, if the taker of the run waits for a place
// for the current group and no place will be free; otherwise nil.
func (q *seats) stuck(s *standstill) []*member {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.taker != s.taker || q.next != s.current || len(q.taken) < cap(q.places) {
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

// self is the calling goroutine. The call takes microseconds, so only a goroutine that is
// about to wait makes it.
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

// producerOf reports whether the goroutine is a producer of a stream.Group, which the
// goroutine parent started.
func (g goroutine) producerOf(parent string) bool {
	return g.parent() == parent && strings.Contains(g.creator, "/stream.(*Group[")
}

// isGroup reports whether A is a Group.
func isGroup[A any]() bool {
	_, is := any(*new(A)).(interface{ place() *member })
	return is
}
