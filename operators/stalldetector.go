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
// had a value for a full group that had not been taken yet, or one more group than may wait.
// The reader that was to take that group waited for a value of an earlier group, and so for
// the source. Read groups at the same time (MergeMap, with no [Limit] or a higher one), or
// let more values wait ([GroupBuffer]).
var ErrGroupsStalled = errors.New("operators: groups stalled")

// stallDetector notices that a run of groups cannot go on (a deadlock). It reports a stall
// only if all of this holds:
//
//   - The source waits with a value for a full group that yield has not been called with, or
//     it waits to announce a group and all slots are taken.
//   - The consumer, which is the goroutine that yield is called on, will not take that group.
//     Either it reads the group that yield was called with last, and waits for a value of
//     it. Or it waits for a slot in a MergeMap: then groups hold all the slots, and their
//     readers wait for values, each on the goroutine that MergeMap started for it.
//   - Only a value, the end of their group, or the end of the run can end these readers:
//     their context ends with that of the run, or never.
//
// While the source waits, none of these facts changes. So check is called whenever a reader,
// the consumer or the source is about to wait. The source makes the others call it again,
// since only they know whether they wait.
type stallDetector struct {
	done    <-chan struct{}         // of the context of the run
	slots   semaphore               // one for each group that is announced and has not been taken
	blocked atomic.Bool             // the source waits
	failed  atomic.Pointer[error]   // the error that check ended the run with
	keyOf   func(*watchedGroup) any // for the error

	mu        sync.Mutex      // guards the fields below
	fullGroup *watchedGroup   // the full group, if blocked; nil if the source waits for a slot
	current   *watchedGroup   // the group that yield was called with last
	consumer  string          // the goroutine that yield is called on; "" until the source has waited
	waitsOn   *groupSemaphore // where the consumer waits for a slot; nil if it does not
}

// watchedGroup is a group as the stallDetector of its run knows it.
type watchedGroup struct {
	detector *stallDetector
	source   interface { // the group's
		Idle() bool
		Nudge()
		Error(error)
	}
	fate   atomic.Int32
	reader atomic.Pointer[goroutine] // the goroutine that waits for values; nil if not known yet
}

// The fate of a group is decided while yield runs with it.
const (
	undecided = iota
	claimed
	abandoned
)

// ProducerWaits notes that the source waits with a value for the group, or waits no more.
func (m *watchedGroup) ProducerWaits(waits bool) {
	if !waits {
		m.detector.sourceResumes()
	} else if m.fate.Load() == undecided {
		m.detector.sourceBlocks(m)
	}
}

// ConsumerWaits notes that the run of the group's Values waits for the source.
func (m *watchedGroup) ConsumerWaits(ctx context.Context) {
	if !m.detector.blocked.Load() {
		return
	}
	if m.reader.Load() == nil {
		reader := new(goroutine)
		if done := ctx.Done(); done == nil || done == m.detector.done {
			*reader = self()
		}
		m.reader.Store(reader)
	}
	m.detector.check()
}

// sourceBlocks notes that the source is about to wait: for room in the group m, or for a slot
// if m is nil.
func (d *stallDetector) sourceBlocks(m *watchedGroup) {
	d.mu.Lock()
	if m == nil && len(d.slots) < cap(d.slots) { // the consumer has just freed one
		d.mu.Unlock()
		return
	}
	if d.consumer == "" {
		d.consumer = self().parent()
	}
	d.fullGroup = m
	d.blocked.Store(true)
	semaphore, current := d.waitsOn, d.current
	d.mu.Unlock()
	if semaphore != nil {
		semaphore.askRecheck()
	} else if current != nil {
		current.source.Nudge()
	}
}

// awaitSlot waits until a group has been taken, and reports whether another may be
// announced.
func (d *stallDetector) awaitSlot(ctx context.Context) bool {
	d.sourceBlocks(nil)
	return d.slots.acquire(ctx) && d.failed.Load() == nil
}

// consumerTook notes that the consumer has a group now, and frees its slot. A source that
// waits for a slot has it from now on, even if it has not woken up yet.
func (d *stallDetector) consumerTook(m *watchedGroup) {
	d.mu.Lock()
	defer d.mu.Unlock()
	<-d.slots
	d.current = m
	if d.fullGroup == nil {
		d.blocked.Store(false)
	}
}

// sourceResumes notes that the source waits no more for room in a group.
func (d *stallDetector) sourceResumes() {
	if d.blocked.Load() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.fullGroup = nil
		d.blocked.Store(false)
	}
}

// consumerWaitsOn notes that the consumer waits for a slot of q, or waits no more if q is
// nil.
func (d *stallDetector) consumerWaitsOn(q *groupSemaphore) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waitsOn = q
}

// check ends the run if it has stalled: the readers that wait get the error, and so does the
// source.
func (d *stallDetector) check() {
	d.mu.Lock()
	if !d.blocked.Load() || d.failed.Load() != nil {
		d.mu.Unlock()
		return
	}
	handedOut := d.fullGroup != nil && d.fullGroup.fate.Load() != undecided
	stuck := d.stuck()
	if handedOut || len(stuck) == 0 {
		d.mu.Unlock()
		return
	}
	err := d.reason(stuck)
	d.failed.Store(&err)
	if d.fullGroup != nil {
		stuck = append(stuck, d.fullGroup)
	}
	d.mu.Unlock()
	for _, m := range stuck {
		m.source.Error(err)
	}
}

// stuck returns the groups whose readers the consumer waits for, if all these readers wait;
// otherwise nil. mu is held.
func (d *stallDetector) stuck() []*watchedGroup {
	if d.waitsOn != nil {
		return d.waitsOn.stuck(d)
	}
	if d.current == nil || d.consumer == "" { // the source's stack may be too deep to show the consumer
		return nil
	}
	reader := d.current.reader.Load()
	if reader == nil || reader.id != d.consumer || !d.current.source.Idle() {
		return nil
	}
	return []*watchedGroup{d.current}
}

func (d *stallDetector) reason(stuck []*watchedGroup) error {
	what := fmt.Sprintf("announces a group while %d others wait to be taken", cap(d.slots))
	if d.fullGroup != nil {
		what = fmt.Sprintf("has a value for the group of %v, which is full and waits to be taken", d.keyOf(d.fullGroup))
	}
	whom := fmt.Sprintf("the reader of the group of %v waits", d.keyOf(stuck[0]))
	if len(stuck) > 1 {
		whom = fmt.Sprintf("%d readers of others wait", len(stuck))
	}
	return fmt.Errorf("%w: the source %s, but %s for the source: read groups at the same time, as MergeMap does,"+
		" with a higher Limit or none, or let more values wait with GroupBuffer", ErrGroupsStalled, what, whom)
}

// groupSemaphore is the semaphore of a run of MergeMap over groups, and knows the groups that
// hold its slots.
type groupSemaphore struct {
	semaphore
	recheck  chan struct{} // a token makes the goroutine that waits for a slot call recheckHolders
	mu       sync.Mutex
	holders  map[*watchedGroup]struct{}
	acquirer string        // the goroutine that waits for a slot; "" before the first recheckHolders
	next     *watchedGroup // the group that waits for a slot, or was the last to do so
}

func newGroupSemaphore(p semaphore) *groupSemaphore {
	return &groupSemaphore{semaphore: p, recheck: make(chan struct{}, 1), holders: make(map[*watchedGroup]struct{})}
}

// acquire waits for a slot for a group, and reports whether there was one before ctx ended.
func (q *groupSemaphore) acquire(ctx context.Context, m *watchedGroup) bool {
	if !q.tryAcquire() && !q.await(ctx, m) {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.holders[m] = struct{}{}
	return true
}

// release releases the slot of a group.
func (q *groupSemaphore) release(m *watchedGroup) {
	q.mu.Lock()
	delete(q.holders, m)
	q.mu.Unlock()
	<-q.semaphore
}

func (q *groupSemaphore) await(ctx context.Context, m *watchedGroup) bool {
	q.mu.Lock()
	q.next = m
	q.mu.Unlock()
	m.detector.consumerWaitsOn(q)
	defer m.detector.consumerWaitsOn(nil)
	for {
		if m.detector.blocked.Load() {
			q.recheckHolders(m.detector)
		}
		select {
		case q.semaphore <- struct{}{}:
			return true
		case <-ctx.Done():
			return false
		case <-q.recheck:
		}
	}
}

// recheckHolders notes the goroutine that waits for a slot, and makes the readers call check.
func (q *groupSemaphore) recheckHolders(d *stallDetector) {
	q.mu.Lock()
	if q.acquirer == "" {
		q.acquirer = self().id
	}
	holders := make([]*watchedGroup, 0, len(q.holders))
	for m := range q.holders {
		holders = append(holders, m)
	}
	q.mu.Unlock()
	for _, m := range holders {
		m.source.Nudge()
	}
	d.check()
}

// askRecheck makes the goroutine that waits for a slot call recheckHolders.
func (q *groupSemaphore) askRecheck() {
	select {
	case q.recheck <- struct{}{}:
	default:
	}
}

// stuck returns the groups that hold the slots, if the consumer of the run waits for a slot
// for the current group and no slot will be released; otherwise nil.
func (q *groupSemaphore) stuck(d *stallDetector) []*watchedGroup {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.acquirer != d.consumer || q.next != d.current || len(q.holders) < cap(q.semaphore) {
		return nil
	}
	holders := make([]*watchedGroup, 0, len(q.holders))
	for m := range q.holders {
		reader := m.reader.Load()
		if m.detector != d || reader == nil || !reader.producerOf(d.consumer) || !m.source.Idle() {
			return nil
		}
		holders = append(holders, m)
	}
	return holders
}

// goroutine identifies a goroutine, as its stack trace does.
type goroutine struct {
	id      string
	creator string // the function that started it, and "in goroutine" with the id of that
}

// self returns the calling goroutine. It takes microseconds, so only a goroutine that is
// about to wait calls it.
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
	_, is := any(*new(A)).(interface{ watched() *watchedGroup })
	return is
}
