package stream

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
)

// ErrEmpty says that a run completed without the value that was asked of it.
// It is what Rx calls an EmptyError.
var ErrEmpty = errors.New("stream: completed without a value")

// ErrMoreThanOne says that a run that was asked for its only value had another.
var ErrMoreThanOne = errors.New("stream: more than one value")

// ErrOverflow says that a buffer whose [Overflow] is [Fail] was full.
var ErrOverflow = errors.New("stream: buffer full")

// errSelf is the ErrOverflow of an observer that nobody but itself could have made room
// for.
var errSelf = fmt.Errorf("%w: its observer waits for itself", ErrOverflow)

// PanicError is what the caller of a run panics with when a function of the
// user's panicked on a goroutine that the run had started: the value, and the
// stack of the goroutine it happened on.
type PanicError struct {
	Value any
	Stack []byte
}

// Error gives the value and the stack that belongs to it.
func (p *PanicError) Error() string {
	return fmt.Sprintf("stream: panic: %v\n\n%s", p.Value, p.Stack)
}

// Unwrap returns the value if it is an error.
func (p *PanicError) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// crashOf is what makes the caller's goroutine end as this one does: with a panic of
// the recovered value, or, if that is nil, with a runtime.Goexit. It is called in the
// deferred function that recovered.
func crashOf(value any) func() {
	if value == nil {
		return runtime.Goexit
	}
	p, handedOn := value.(*PanicError)
	if !handedOn {
		p = &PanicError{Value: value, Stack: debug.Stack()}
	}
	return func() { panic(p) }
}
