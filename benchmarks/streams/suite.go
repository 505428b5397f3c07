// Package streams compares rxipc with other ways to process a stream of values: samber/ro, RxGo,
// channels, and a loop written by hand. Each work has a file of its own, which begins with its
// loop. The code that all works share is in contender.go.
package streams

import (
	"fmt"

	"github.com/rxipc/rxipc/benchmarks/measure"
)

// Suite compares rxipc with others.
func Suite() measure.Suite {
	return measure.Suite{
		Name:  "streams",
		Title: "Streams",
		About: `Streams of ints in one process. Figures are per value. A run has a million values, or as many as fit
into half a second. The ratios are to a loop written by hand that calls the same functions directly;
the text above each table describes the loop. The number of values is not known at compile time, and
the Go compiler neither vectorises the loop nor computes its result in advance. The result of each
run is compared with that of the loop.

rxipc's pipelines are composed in the function that runs them, as in most programs. A second row
has a pipeline that another function has composed, which the compiler cannot flatten. A third row
has the first pipeline with a context that can end; the contexts of the other rows cannot. Wherever
values change goroutines, ` + fmt.Sprint(capacity) + `
values may wait; for RxGo and channels between all stages. RxGo's default is 0, which is slower.`,
		Groups: []measure.Group{
			pipeline(), maps(), subject(), merge(), concatMap(), keys(), eventTime(), perKey(), buffers(), crossing(), single(),
		},
	}
}
