package operators

import (
	"context"

	"github.com/rxipc/rxipc/stream"
)

// Expand emits each value of the source, followed by the values of project's observable for
// it. Each of these is treated in the same way. So Expand walks a tree depth first, as
// folders or pages that link to the next one (RxJS: expand with a concurrency of one). An
// empty observable is a leaf. The run completes when the source and all projected
// observables have completed; the first failure ends it.
//
// One observable runs at each level of the tree, inside the one above it. All run on the
// caller's goroutine, and nothing is buffered. The stack holds the path from the root to
// the present value. Deeper than 64 levels, an observable first continues to its next value
// or its end, and then its child runs. So the last child of a node takes the node's place
// on the stack, and a list of any length takes as much stack as one of 64 values.
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

// run emits the values of a node's children and of their descendants. On deep levels the
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
