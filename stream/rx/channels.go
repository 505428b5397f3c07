package rx

import (
	"reflect"

	"github.com/reactivex/rxgo/v2"
)

// staysOpen reports whether an observable of RxGo leaves an observer's channel open when the
// observer's context ends. Those of Range and GroupBy just stop, those of FromEventSource
// serve other observers, and the channel of FromChannel belongs to the caller. RxGo has no way
// to ask, so staysOpen inspects their types in v2.5.0, the last release. It returns false for
// an unknown observable, and a run waits for that to close (see stopTimeout).
func staysOpen(it rxgo.Iterable) bool {
	if b, ok := it.(bound); ok {
		it = b.Observable
	}
	impl, ok := it.(*rxgo.ObservableImpl)
	if !ok {
		return false
	}
	fields := reflect.ValueOf(impl).Elem()
	iterable := fields.FieldByName("iterable")
	if iterable.Kind() != reflect.Interface || iterable.IsNil() {
		return false
	}
	switch iterable.Elem().Type().String() {
	case "*rxgo.rangeIterable", "*rxgo.sliceIterable", "*rxgo.eventSourceIterable":
		return true
	case "*rxgo.channelIterable": // that of FromChannel has a parent, those that RxGo makes for itself have none
		parent := fields.FieldByName("parent")
		return parent.Kind() == reflect.Interface && !parent.IsNil()
	default:
		return false
	}
}
