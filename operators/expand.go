package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// Expand emits each value of the source, and after it those of project's observable for
// it, each of which is treated in the same way: a tree, depth first, as a walk through
// folders or from page to page (RxJS: expand with a concurrency of one). An empty
// observable is a leaf. It completes when the source and all that was projected have;
// the first failure ends it.
//
// One observable at a level of the tree runs at a time, inside of the one above; all are
// on the caller's goroutine and nothing is buffered. What it holds, on the stack, is the
// way from the root to the present value.
func Expand[T any](project func(T) stream.Observable[T]) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		return func(ctx context.Context, yield func(T) bool) error {
			wanted := true
			var expand func(stream.Observable[T]) error
			expand = func(level stream.Observable[T]) (err error) {
				var below error
				err = level(ctx, func(v T) bool {
					if wanted = yield(v); wanted {
						below = expand(project(v))
					}
					return wanted && below == nil
				})
				if below != nil {
					return below
				}
				return err
			}
			return expand(source)
		}
	}
}
