package rx

import (
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"

	"github.com/rxipc/rxipc/stream"
)

// ErrStuck says that RxGo had not closed its channel a second after the context
// it was given had ended: goroutines of RxGo may be left. It stands beside the
// error that the run ended with, if there is one.
var ErrStuck = errors.New("rx: RxGo has not ended with its context")

// errExited is what an RxGo observer gets of a source that called runtime.Goexit.
var errExited = errors.New("rx: the goroutine of the source has exited")

// TypeError says that RxGo gave an item of another type than was asked for.
type TypeError struct {
	Got  reflect.Type // nil for a nil item
	Want reflect.Type // of the observable
}

// Error names both types.
func (e *TypeError) Error() string {
	got := "nil"
	if e.Got != nil {
		got = e.Got.String()
	}
	return fmt.Sprintf("rx: got an item of type %s, want %s", got, e.Want)
}

// valueOf is the value of an item. A nil item is the nil of types that have one.
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

// panicError is a recovered panic with the stack it happened on.
func panicError(value any) *stream.PanicError {
	if p, handedOn := value.(*stream.PanicError); handedOn {
		return p
	}
	return &stream.PanicError{Value: value, Stack: debug.Stack()}
}
