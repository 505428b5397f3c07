package stream

import (
	"context"
	"time"

	"github.com/rxipc/rxipc/fold"
)

// Subject is a hot source: what is given to it reaches all who observe it at
// that moment. The kinds of subjects differ in what a newcomer gets before that: the
// zero value, which is ready, gives it nothing (Rx: PublishSubject), see
// [NewBehaviorSubject], [NewReplaySubject] and [NewAsyncSubject] for the others.
//
// All methods may be called from any goroutine, also by an observer, in its yield. A
// subject must not be copied.
type Subject[T any] struct {
	hub  hub[T]
	kept history[T] // for newcomers; guarded by hub.mu

	late   bool // only the completion tells the observers what is kept
	forget bool // the end forgets what is kept
}

// NewBehaviorSubject gives a newcomer the last value first, to begin with the initial
// one, and no value once it has ended (Rx: BehaviorSubject).
func NewBehaviorSubject[T any](initial T) *Subject[T] {
	s := &Subject[T]{kept: newHistory[T](1, 0), forget: true}
	s.kept.add(initial)
	return s
}

// NewReplaySubject gives a newcomer the last values first, at most count (at least one),
// also when it has ended (Rx: ReplaySubject). If age is more than zero, values older
// than that are left out. They are forgotten when a method of the subject is next called
// or an observer comes, not before: one that nobody touches holds its last count values.
func NewReplaySubject[T any](count int, age time.Duration) *Subject[T] {
	return &Subject[T]{kept: newHistory[T](count, age)}
}

// NewAsyncSubject gives all its observers, newcomers after its end too, the last value
// alone, when it has completed; nothing if it fails (Rx: AsyncSubject).
func NewAsyncSubject[T any]() *Subject[T] {
	return &Subject[T]{kept: newHistory[T](1, 0), late: true}
}

// Observe is the subject as seen by one who keeps up as well as its buffer
// allows: at most capacity values wait (at least one may), and overflow says what
// happens with one more. It concerns that observer alone, except that Block makes Next
// wait for it, and with it the others. Room comes back for up to half the capacity at a
// time then. What a newcomer gets first waits beside.
//
// A run gets the values given after it began, until Complete, Error or its
// context ends it; a run that begins after the subject has ended, ends with it.
//
// An observer may itself call Next, in its yield. If its overflow is Block and its
// buffer is full then, nobody else would ever make room: it gets what waits and fails,
// with an error that is [ErrOverflow], and the value reaches the others. This goes for
// a call on the observer's goroutine. One that waits for another goroutine which calls
// Next, or that observes the same subject again in its yield, is merely slow, and is
// waited for until its context ends.
func (s *Subject[T]) Observe(capacity int, overflow Overflow) Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		b := newBox(ctx, &s.hub, capacity, overflow)
		first := s.join(b)
		defer s.hub.leave(b)
		return b.deliver(ctx, first, yield)
	}
}

// join makes the box one of the observers' and returns what it gets first.
func (s *Subject[T]) join(b *box[T]) (first []T) {
	s.lock()
	defer s.hub.mu.Unlock()
	s.hub.join(b)
	if s.late && !s.hub.ended {
		return nil
	}
	return s.kept.all()
}

// Next gives a value to all who observe the subject, at once. It waits until all of
// them whose overflow is Block have room for it, but not for those that leave or whose
// context has ended. Of several who call it at the same time, all observers get the
// values in the same order. Values given after the end are dropped.
func (s *Subject[T]) Next(v T) { s.give(v) }

// give is Next, and reports whether the subject has not ended.
func (s *Subject[T]) give(v T) bool {
	s.lock()
	defer s.hub.mu.Unlock()
	if !s.hub.ready() {
		return false
	}
	s.kept.add(v)
	if !s.late {
		s.hub.put(v)
	}
	return true
}

// Complete ends the subject: its observers complete, after what they still hold.
func (s *Subject[T]) Complete() { s.end(nil, nil) }

// Error ends the subject with a failure, which its observers get after what they
// still hold. Only the first end counts; a nil err completes.
func (s *Subject[T]) Error(err error) { s.end(err, nil) }

// Feed runs source on the caller's goroutine, gives its values to the subject, ends the
// subject as the run ended, and returns its error. A panic of source's, or a
// runtime.Goexit, ends the subject too, and reaches the callers of its observers, the
// panic as a [*PanicError], before it goes on to the caller of Feed. A subject that has
// ended stops the source, which is no failure, whatever the source says to that.
func (s *Subject[T]) Feed(ctx context.Context, source Observable[T]) (err error) {
	mustHave("Subject.Feed", "observable", source != nil)
	returned := false
	defer func() {
		if returned {
			s.end(err, nil)
			return
		}
		value := recover()
		s.end(nil, crashOf(value))
		if value != nil {
			panic(value)
		}
	}()
	wanted := true
	err = source(WithBuffering(ctx, "Subject"), func(v T) bool {
		wanted = wanted && s.give(v)
		return wanted
	})
	returned = true
	if !wanted {
		return nil
	}
	return ended(ctx, err)
}

func (s *Subject[T]) end(err error, crash func()) {
	s.lock()
	defer s.hub.mu.Unlock()
	if s.hub.ended {
		return
	}
	if s.late && err == nil && crash == nil {
		for _, v := range s.kept.all() {
			s.hub.put(v)
		}
	} else if s.late || s.forget {
		s.kept = history[T]{}
	}
	s.hub.end(err, crash)
}

// Value is the last value that the subject has for newcomers: none if it keeps none, or
// has forgotten it.
func (s *Subject[T]) Value() fold.Maybe[T] {
	s.lock()
	defer s.hub.mu.Unlock()
	return s.kept.last()
}

// Observers counts who observes the subject now.
func (s *Subject[T]) Observers() int {
	s.lock()
	defer s.hub.mu.Unlock()
	return len(s.hub.boxes)
}

// audience is the number of observers, and what is closed when it changes; nil if it
// cannot any more.
func (s *Subject[T]) audience() (int, <-chan struct{}) {
	s.lock()
	defer s.hub.mu.Unlock()
	return s.hub.audience()
}

// lock locks hub.mu and forgets what is too old.
func (s *Subject[T]) lock() {
	s.hub.mu.Lock()
	s.kept.expire()
}

// Audience emits how many observe the subject, now and whenever that has changed, until
// the subject ends. One who is counted gets what is given from then on. A slow yield
// misses what changed meanwhile and gets the latest; nothing is buffered.
func (s *Subject[T]) Audience() Observable[int] {
	return func(ctx context.Context, yield func(int) bool) error {
		for before := -1; ; {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			n, changed := s.audience()
			if n != before && !yield(n) {
				return nil
			}
			if changed == nil {
				return context.Cause(ctx)
			}
			if before < 0 {
				Subscribed(ctx)
			}
			before = n
			select {
			case <-changed:
			case <-ctx.Done():
			}
		}
	}
}
