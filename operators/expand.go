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
// way from the root to the present value. Below 64 levels an observable goes on, to its
// end or its next value, before what was projected of its value is run: the last child of
// each node so takes its parent's place on the stack, and a list, however long, takes no
// more of that than one of 64 values.
func Expand[T any](project func(T) stream.Observable[T]) stream.Operator[T, T] {
	mustHave("Expand", "function", project != nil)
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Expand", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			e := expansion[T]{ctx: ctx, yield: yield, project: project, wanted: true}
			return ended(ctx, e.run(source, 0))
		}
	}
}

// deepExpansion is the level from which on a child is run when its parent has gone on.
const deepExpansion = 64

// expansion is a run of Expand.
type expansion[T any] struct {
	ctx     context.Context
	yield   func(T) bool
	project func(T) stream.Observable[T]
	wanted  bool
}

// run emits the values of a node's children, and those below them. On deep levels the
// last child follows its parent in the loop.
func (e *expansion[T]) run(children stream.Observable[T], depth int) error {
	var failure error // of a parent, after its last child
	for children != nil {
		var next stream.Observable[T] // of the child before, to be run
		var below error
		err := children(e.ctx, func(v T) bool {
			if next != nil {
				below = e.run(next, depth+1)
				next = nil
			}
			if below != nil || !e.wanted {
				return false
			}
			if e.wanted = e.yield(v); !e.wanted {
				return false
			}
			next = e.project(v)
			mustHave("Expand", "observable from its function", next != nil)
			if depth < deepExpansion {
				below = e.run(next, depth+1)
				next = nil
			}
			return below == nil && e.wanted
		})
		switch {
		case below != nil:
			return below
		case !e.wanted || err != nil && e.ctx.Err() != nil:
			return err
		case err != nil:
			failure = err
		}
		children = next
	}
	return failure
}
