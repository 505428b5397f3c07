package streams

import (
	"context"
	"io"
	"testing"

	"github.com/rxipc/rxipc/benchmarks/measure"
)

// A run fails when its result differs from that of the loop. The number of values is not a multiple
// of any size.
func TestSuiteResultsEqualTheLoop(t *testing.T) {
	suite := Suite()
	for i := range suite.Groups {
		for j := range suite.Groups[i].Works {
			suite.Groups[i].Works[j].QuickN = 1017
		}
	}
	_, err := measure.Run(t.Context(), suite, measure.Options{Rounds: 1, Quick: true, Progress: io.Discard})
	if err != nil {
		t.Fatalf("run all contenders with 1017 values: %v", err)
	}
}

func TestCompareRejectsAWrongResult(t *testing.T) {
	group := compare("one too many", "", pipelineByHand, nil,
		way{name: "wrong", run: func(_ context.Context, n int) (int, error) { return pipelineByHand(n) + 1, nil }})
	suite := measure.Suite{Groups: []measure.Group{group}}
	if _, err := measure.Run(t.Context(), suite, measure.Options{Rounds: 1, Quick: true, Progress: io.Discard}); err == nil {
		t.Error("measure a contender with a wrong result: got no error, want one")
	}
}
