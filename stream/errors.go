package stream

import (
	"context"
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

// ErrSkip, returned or wrapped by a function that an operator calls for a value, skips that
// value: the run goes on, and [Drops] count it. fs.SkipDir is the same for folders.
var ErrSkip = errors.New("stream: skip this value")

// ErrOverflow says that a buffer whose [Overflow] is [Fail] was full.
var ErrOverflow = errors.New("stream: buffer full")

// errSelf is the ErrOverflow of an observer that nobody but itself could have made room
// for.
var errSelf = fmt.Errorf("%w: its observer waits for itself", ErrOverflow)

// ended is how a run ends whose source ended with err. One that completed although the
// context is done may not have emitted all that it had: that is no completion.
func ended(ctx context.Context, err error) error {
	if err == nil {
		return context.Cause(ctx)
	}
	return err
}

// endedBy is ended for verbs that are to be inlined: the compiler takes a call of a
// parameter, which is [context.Cause], for cheap.
func endedBy(ctx context.Context, err error, cause func(context.Context) error) error {
	if err == nil {
		return cause(ctx)
	}
	return err
}

// mustHave panics unless what a source is composed of is there: the line that is wrong is
// in the trace then, where a run would show the line that happened to run it.
func mustHave(source, what string, has bool) {
	if !has {
		panic("stream: " + source + " with a nil " + what)
	}
}

// PanicError is what the caller of a run panics with when a function of the
// user's panicked on a goroutine that the run had started: the value, and the
// stack of the goroutine it happened on.
type PanicError struct {
	Value any    // what the function panicked with
	Stack []byte // as runtime/debug.Stack gives it
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

// repanicOf returns a function that ends the goroutine that calls it as this one ended: with
// a panic of the recovered value, or with a runtime.Goexit if value is nil. It is called in
// the deferred function that recovered.
func repanicOf(value any) func() {
	if value == nil {
		return runtime.Goexit
	}
	p, handedOn := value.(*PanicError)
	if !handedOn {
		p = &PanicError{Value: value, Stack: debug.Stack()}
	}
	return func() { panic(p) }
}
