package stream

import (
	"context"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream/stages"
)

// Subject is a hot source: each value that is given to it reaches all observers that it has
// at that moment. The kinds of subjects differ in what a new observer gets first. The zero
// value is ready and gives a new observer nothing (Rx: PublishSubject). For the other kinds
// see [NewBehaviorSubject], [NewReplaySubject] and [NewAsyncSubject].
//
// All methods may be called from any goroutine, also by an observer, in its yield. A
// subject must not be copied.
type Subject[T any] struct {
	broadcaster broadcaster[T]
	kept        history[T] // for new observers; guarded by broadcaster.mu

	onCompletionOnly bool // observers get what is kept when the subject completes, and nothing before
	forgetAtEnd      bool // the end forgets what is kept
}

// NewBehaviorSubject makes a subject that gives a new observer the last value first,
// which is initial until Next is called. After the end it gives none (Rx: BehaviorSubject).
func NewBehaviorSubject[T any](initial T) *Subject[T] {
	s := &Subject[T]{kept: newHistory[T](1, 0), forgetAtEnd: true}
	s.kept.add(initial)
	return s
}

// NewReplaySubject makes a subject that gives a new observer the last values first, at most
// count (at least one), also after the end (Rx: ReplaySubject). If age is more than zero,
// older values are left out. They are forgotten when a method is called or an observer
// comes, not before: a subject that is not used holds its last count values.
func NewReplaySubject[T any](count int, age time.Duration) *Subject[T] {
	return &Subject[T]{kept: newHistory[T](count, age)}
}

// NewAsyncSubject makes a subject that gives its observers only the last value, when it
// completes; nothing if it fails. Observers that come after the end get it too (Rx:
// AsyncSubject).
func NewAsyncSubject[T any]() *Subject[T] {
	return &Subject[T]{kept: newHistory[T](1, 0), onCompletionOnly: true}
}

// Observe returns the subject as an observable whose runs have a buffer: at most capacity
// values wait (at least one may), and overflow says what happens with one more. Overflow
// concerns that observer alone, except that Block makes Next wait for it, and so all others
// wait too. With Block, room comes back for up to half the capacity at a time. The values
// that a new observer gets first do not count against capacity.
//
// A run gets the values given after it began, until Complete, Error or its
// context ends it; a run that begins after the subject has ended, ends with it.
//
// An observer may itself call Next, in its yield. If its overflow is Block and its buffer
// is full then, no other goroutine could make room. So the observer gets the values that
// wait and fails with an error that is [ErrOverflow]; the other observers get the value.
// This holds for a call on the observer's goroutine. An observer that waits for another
// goroutine which calls Next, or that observes the same subject again in its yield, counts
// as slow: Next waits for it until its context ends.
func (s *Subject[T]) Observe(capacity int, overflow Overflow) Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		run, _ := stages.Enter(ctx, stages.Buffer, "Subject")
		b := newSubscriberBuffer(ctx, &s.broadcaster, capacity, overflow)
		run.Fills(b.fill)
		return ending(run, ctx, func() error {
			first := s.addBuffer(b)
			defer s.broadcaster.remove(b)
			return b.deliver(ctx, first, yield)
		})
	}
}

// addBuffer adds an observer's buffer and returns the values that the observer gets first.
func (s *Subject[T]) addBuffer(b *subscriberBuffer[T]) (first []T) {
	s.lock()
	defer s.broadcaster.mu.Unlock()
	s.broadcaster.add(b)
	if s.onCompletionOnly && !s.broadcaster.ended {
		return nil
	}
	return s.kept.all()
}

// Next gives a value to all observers at the same time. It waits until all observers whose
// overflow is Block have room, except those that leave or whose context has ended. If
// several goroutines call it at the same time, all observers get the values in the same
// order. Values given after the end are dropped.
func (s *Subject[T]) Next(v T) { s.give(v) }

// give is Next, and reports whether the subject has not ended.
func (s *Subject[T]) give(v T) bool {
	s.lock()
	defer s.broadcaster.mu.Unlock()
	if !s.broadcaster.awaitRoom() {
		return false
	}
	s.kept.add(v)
	if !s.onCompletionOnly {
		s.broadcaster.publish(v)
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
// ended stops the source. That is no failure, whatever the source returns then.
func (s *Subject[T]) Feed(ctx context.Context, source Observable[T]) (err error) {
	mustHave("Subject.Feed", "observable", source != nil)
	returned := false
	defer func() {
		if returned {
			s.end(err, nil)
			return
		}
		value := recover()
		s.end(nil, repanicOf(value))
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

func (s *Subject[T]) end(err error, repanic func()) {
	s.lock()
	defer s.broadcaster.mu.Unlock()
	if s.broadcaster.ended {
		return
	}
	if s.onCompletionOnly && err == nil && repanic == nil {
		for _, v := range s.kept.all() {
			s.broadcaster.publish(v)
		}
	} else if s.onCompletionOnly || s.forgetAtEnd {
		s.kept = history[T]{}
	}
	s.broadcaster.end(err, repanic)
}

// Value is the last value that the subject keeps for new observers: none if it keeps none,
// or has forgotten it.
func (s *Subject[T]) Value() fold.Maybe[T] {
	s.lock()
	defer s.broadcaster.mu.Unlock()
	return s.kept.last()
}

// Observers returns how many runs observe the subject now.
func (s *Subject[T]) Observers() int {
	s.lock()
	defer s.broadcaster.mu.Unlock()
	return len(s.broadcaster.subscribers)
}

// countObservers returns the number of observers and a channel that is closed when it
// changes; nil if it cannot change any more.
func (s *Subject[T]) countObservers() (int, <-chan struct{}) {
	s.lock()
	defer s.broadcaster.mu.Unlock()
	return s.broadcaster.countSubscribers()
}

// lock locks broadcaster.mu and forgets values that are too old.
func (s *Subject[T]) lock() {
	s.broadcaster.mu.Lock()
	s.kept.expire()
}

// Audience emits the number of observers, now and whenever it has changed, until the
// subject ends. An observer that is counted gets all values given from then on. A slow
// yield misses changes in between and gets the latest number; nothing is buffered.
func (s *Subject[T]) Audience() Observable[int] {
	return func(ctx context.Context, yield func(int) bool) error {
		for before := -1; ; {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			n, changed := s.countObservers()
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
