package sockets

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/rxipc/rxipc/benchmarks/measure"
)

func TestMain(m *testing.M) {
	ServeIfChild()
	os.Exit(m.Run())
}

// Every contender does every work once, with a real server process.
func TestContendersDoTheirWork(t *testing.T) {
	for _, group := range append(Suite().Groups, besideIdle()) {
		for _, work := range group.Works {
			if work.Slow {
				continue
			}
			for _, contender := range work.Contenders {
				t.Run(fmt.Sprint(group.Title, "/", work.Name, "/", contender.Name), func(t *testing.T) {
					if contender.Start == nil {
						if contender.Absent == "" {
							t.Error("contender without Start: got no reason in Absent, want one")
						}
						return
					}
					small := work
					small.N, small.Contenders = 3, []measure.Contender{contender}
					alone := group
					alone.Works, alone.Baseline = []measure.Work{small}, ""
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					report, err := measure.Run(ctx, measure.Suite{Groups: []measure.Group{alone}},
						measure.Options{Rounds: 1, Progress: io.Discard})
					if err != nil {
						t.Fatalf("measure the contender: %v", err)
					}
					for _, metric := range group.Metrics {
						if _, ok := report.Groups[0].Cell(contender.Name, 0, metric.Name); !ok && !(metric.Partial && work.X == 0) {
							t.Errorf("measure the contender: got no figure for %s, want one", metric.Name)
						}
					}
				})
			}
		}
	}
}

func TestRecordHas32Bytes(t *testing.T) {
	if text, err := json.Marshal(typedRecord); len(text) != 32 || err != nil {
		t.Errorf("encode the record: got %s of %d bytes, %v, want 32 bytes", text, len(text), err)
	}
}
