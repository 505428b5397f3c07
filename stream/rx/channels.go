package rx

import (
	"reflect"

	"github.com/reactivex/rxgo/v2"
)

// staysOpen reports whether an observable of RxGo leaves the channel that it gave
// to an observer open when the context of that observer ends: those of Range and
// GroupBy just stop, those of FromEventSource go on for others, and the one of
// FromChannel belongs to whoever made it. RxGo does not tell them apart for us, so
// this looks at what they are made of in v2.5.0, its last release; of an unknown
// one it says no, and a run waits for it (see patience).
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
	case "*rxgo.channelIterable": // FromChannel's has a parent, those of RxGo's own have none
		parent := fields.FieldByName("parent")
		return parent.Kind() == reflect.Interface && !parent.IsNil()
	default:
		return false
	}
}
