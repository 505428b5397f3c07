package operators

import (
	"context"
	"fmt"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/stream"
)

// Notification is one event of a run: a value, its failure or its completion.
type Notification[T any] struct {
	Kind  NotificationKind // the kind of event
	Value T                // of OnNext
	Err   error            // of OnError
}

// NotificationKind says which event a notification is.
type NotificationKind uint8

// The kinds of notifications.
const (
	OnNext     NotificationKind = iota // a value
	OnError                            // the failure, and nothing after it
	OnComplete                         // the completion, and nothing after it
)

// String returns Next(value), Error(error) or Complete.
func (n Notification[T]) String() string {
	switch n.Kind {
	case OnNext:
		return fmt.Sprintf("Next(%v)", n.Value)
	case OnError:
		return fmt.Sprintf("Error(%v)", n.Err)
	default:
		return "Complete"
	}
}

// Materialize emits the events of the source as values: its values, and then its failure or
// completion. After that it completes. The end of the run's own context is no notification;
// it ends the run as usual.
func Materialize[T any]() stream.Operator[T, Notification[T]] {
	return func(source stream.Observable[T]) stream.Observable[Notification[T]] {
		mustHave("Materialize", "observable", source != nil)
		return func(ctx context.Context, yield func(Notification[T]) bool) error {
			wanted := true
			err := source(ctx, func(v T) bool {
				wanted = yield(Notification[T]{Value: v})
				return wanted
			})
			if !wanted || ctx.Err() != nil {
				return ended(ctx, err)
			}
			end := Notification[T]{Kind: OnComplete}
			if err != nil {
				end = Notification[T]{Kind: OnError, Err: err}
			}
			return stream.Just(end)(ctx, yield)
		}
	}
}

// Dematerialize undoes [Materialize]: it emits the values of the notifications. At a
// failure it fails, and at a completion it completes, without waiting for the end of the
// source. A failure with a nil error is [fold.ErrUnexplained]. If the source ends without
// such a notification, Dematerialize ends as the source does.
func Dematerialize[T any]() stream.Operator[Notification[T], T] {
	return func(source stream.Observable[Notification[T]]) stream.Observable[T] {
		mustHave("Dematerialize", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			var failure error
			over := false
			err := source(ctx, func(n Notification[T]) bool {
				if n.Kind == OnNext {
					return yield(n.Value)
				}
				if n.Kind == OnError {
					failure = fold.Fail[T](n.Err).Err()
				}
				over = true
				return false
			})
			if over { // ended on purpose, so its error does not count
				return ended(ctx, failure)
			}
			return err
		}
	}
}
