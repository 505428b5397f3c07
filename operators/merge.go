package operators

import "github.com/rxipc/rxipc/stream"

// Merge runs all sources at the same time, each on a goroutine of its own, and
// emits their values as they come; those of one source stay in order. It
// completes when all have, and fails with the first failure, after the values
// that came before it. At most [stream.DefaultBuffer] values of each source wait.
//
// The sources begin in no order, and one may emit before another has begun. One that makes
// a [stream.Subject] emit which another observes waits until that is observed: see
// [stream.Subject.Audience].
func Merge[T any](sources ...stream.Observable[T]) stream.Observable[T] {
	mustHaveEach("Merge", sources)
	return buffering("Merge", stream.Gather(stream.DefaultBuffer, func(g *stream.Group[T]) {
		for _, source := range sources {
			g.Go(source)
		}
	}))
}
