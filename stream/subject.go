package stream

import (
	"context"
	"slices"
	"sync"
)

// Subject is a hot source: what is given to it reaches all who observe it at
// that moment (Rx: PublishSubject). Its zero value is ready; it must not be
// copied. All methods may be called from any goroutine.
type Subject[T any] struct {
	mu        sync.Mutex
	observers []*mailbox[T] // copied when it changes: Next walks it without the lock
	ended     bool
	err       error
}

// Observe is the subject as seen by one who keeps up as well as its buffer
// allows: at most capacity values wait, and overflow says what happens with one
// more. It concerns that observer alone, except that Block makes Next wait for
// it; so an observer that itself calls Next wants another policy.
//
// A run gets the values given after it began, until Complete, Error or its
// context ends it; a run that begins after the subject has ended, ends with it.
func (s *Subject[T]) Observe(capacity int, overflow Overflow) Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		box := new(mailbox[T])
		box.init(capacity, overflow)
		s.add(box)
		defer s.remove(box)
		return box.deliver(ctx, yield)
	}
}

// Next gives a value to all who observe the subject now. It waits only for
// observers whose overflow is Block, and not for those that leave.
func (s *Subject[T]) Next(v T) {
	s.mu.Lock()
	observers := s.observers
	s.mu.Unlock()
	for _, box := range observers {
		box.push(v)
	}
}

// Complete ends the subject: its observers complete, after what they still hold.
func (s *Subject[T]) Complete() { s.Error(nil) }

// Error ends the subject with a failure, which its observers get after what they
// still hold. Only the first end counts; values given after it are dropped.
func (s *Subject[T]) Error(err error) {
	s.mu.Lock()
	observers := s.observers
	if !s.ended {
		s.ended, s.err, s.observers = true, err, nil
	}
	s.mu.Unlock()
	for _, box := range observers {
		box.end(err)
	}
}

// Observers counts who observes the subject now.
func (s *Subject[T]) Observers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.observers)
}

func (s *Subject[T]) add(box *mailbox[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		box.end(s.err)
		return
	}
	s.observers = append(slices.Clone(s.observers), box)
}

func (s *Subject[T]) remove(box *mailbox[T]) {
	box.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.observers = slices.DeleteFunc(slices.Clone(s.observers), func(other *mailbox[T]) bool {
		return other == box
	})
}
