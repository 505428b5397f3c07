// Package streams measures rxipc beside other ways to have a stream of values worked
// on: samber/ro, RxGo, channels, and the loop that a hand would write. Each work has a
// file of its own, where its loop stands first; contender.go says what all works share.
package streams

import (
	"fmt"

	"github.com/rxipc/rxipc/benchmarks/measure"
)

// Suite is rxipc beside others.
func Suite() measure.Suite {
	return measure.Suite{
		Name:  "streams",
		Title: "Streams",
		About: `In one process, over ints. Figures are those of one value: a run is over a million, or as many as
half a second is enough for. The ratios are to a loop written by hand, the same functions called
directly; a table says what that does. Its values start from a count that is not known when it is
compiled, and the compiler of Go neither vectorises it nor folds it. What comes out of each run is
compared with what comes out of the loop.

rxipc's pipelines are composed where they run, as in a function of a user's; another row is
of one that another function has composed, which the compiler cannot flatten; and another is of the
first with a context that can end, where the others have one that cannot. Wherever a value changes
goroutines, ` + fmt.Sprint(capacity) + `
of them may wait, with RxGo and channels between all stages; RxGo's default is none, which costs it more.`,
		Groups: []measure.Group{
			pipeline(), maps(), subject(), merge(), concatMap(), keys(), buffers(), crossing(), single(),
		},
	}
}
