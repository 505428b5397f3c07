package rx

import (
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"

	"github.com/rxipc/rxipc/stream"
)

// ErrStuck means that RxGo had not closed its channel a second after its context had ended, so
// goroutines of RxGo may be left. It is joined with the error that ended the run, if there is
// one.
var ErrStuck = errors.New("rx: RxGo has not ended with its context")

// errExited is the error item for a source that called runtime.Goexit.
var errExited = errors.New("rx: the goroutine of the source has exited")

// TypeError is the error of an item of an unexpected type.
type TypeError struct {
	Got  reflect.Type // nil for a nil item
	Want reflect.Type // the element type of the observable
}

// Error returns a text with both types.
func (e *TypeError) Error() string {
	got := "nil"
	if e.Got != nil {
		got = e.Got.String()
	}
	return fmt.Sprintf("rx: got an item of type %s, want %s", got, e.Want)
}

// valueOf converts an item to T. It converts a nil item to nil if T has nil.
func valueOf[T any](item any) (T, error) {
	v, ok := item.(T)
	if ok {
		return v, nil
	}
	want := reflect.TypeFor[T]()
	if item == nil && hasNil(want) {
		return v, nil
	}
	return v, &TypeError{Got: reflect.TypeOf(item), Want: want}
}

func hasNil(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface, reflect.Pointer, reflect.Slice, reflect.Map, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return true
	default:
		return false
	}
}

// panicError converts a recovered panic to an error with the stack of the panic.
func panicError(value any) *stream.PanicError {
	if p, handedOn := value.(*stream.PanicError); handedOn {
		return p
	}
	return &stream.PanicError{Value: value, Stack: debug.Stack()}
}
