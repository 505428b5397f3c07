package streams

import (
	"context"
	"io"
	"testing"

	"github.com/rxipc/rxipc/benchmarks/measure"
)

// A run fails when it does not come to what the loop comes to, also with numbers of
// values that no size divides.
func TestAllComeToTheSame(t *testing.T) {
	suite := Suite()
	for i := range suite.Groups {
		for j := range suite.Groups[i].Works {
			suite.Groups[i].Works[j].QuickN = 1017
		}
	}
	_, err := measure.Run(t.Context(), suite, measure.Options{Rounds: 1, Quick: true, Progress: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatComesOutIsCompared(t *testing.T) {
	group := compare("one too many", "", pipelineByHand, nil,
		way{name: "wrong", run: func(_ context.Context, n int) (int, error) { return pipelineByHand(n) + 1, nil }})
	suite := measure.Suite{Groups: []measure.Group{group}}
	if _, err := measure.Run(t.Context(), suite, measure.Options{Rounds: 1, Quick: true, Progress: io.Discard}); err == nil {
		t.Error("a wrong result was measured")
	}
}
