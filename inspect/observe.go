package inspect

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/stages"
)

// Snapshot returns what a query asks for, as it is now. Rates need an earlier snapshot. Values, which
// a viewer asks for, are left out.
func (i *Inspector) Snapshot(q Query) Snapshot {
	now := time.Now()
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	s := Snapshot{
		Time: now, Program: filepath.Base(os.Args[0]), PID: os.Getpid(), Goroutines: runtime.NumGoroutine(), Heap: heap[0].Value.Uint64(),
		StagesFrom: max(0, q.Stages), ConnectionsFrom: max(0, q.Connections),
	}
	i.history.look(&i.registry, now, func(all []stages.Stage, tracks map[int]*track) { s.addStages(q, all, tracks) })
	s.Connections, s.ConnectionsFound, s.Totals = i.connections.list(q, now)
	s.Members, s.MembersTotal = i.listMembers()
	return s
}

// addStages adds the verdicts, and the page of the stages that a query asks for.
func (s *Snapshot) addStages(q Query, all []stages.Stage, tracks map[int]*track) {
	s.StagesTotal = len(all)
	s.Verdicts = pipelines(all, tracks, s.Time)
	found := findStages(rows(all), q.Find)
	s.StagesFound = len(found)
	from := min(s.StagesFrom, len(found))
	for _, r := range found[from:min(len(found), from+stagesPage)] {
		v := stageOf(r, tracks[r.stage.ID], s.Time)
		for _, verdict := range s.Verdicts {
			v.Holds = v.Holds || verdict.Stage == v.ID && verdict.Severity != Calm
		}
		s.Stages = append(s.Stages, v)
	}
}

// snapshots emits a snapshot now, and then one each [Query].Every seconds, until its context ends.
// A slow yield gets fewer. allowed lets a viewer see contents.
func (i *Inspector) snapshots(q Query, allowed bool) stream.Observable[Snapshot] {
	return func(ctx context.Context, yield func(Snapshot) bool) error {
		next := time.NewTicker(q.every())
		defer next.Stop()
		var last uint64 // the number of the last sampled value
		for {
			s := i.Snapshot(q)
			s.Contents = allowed
			if q.Values != 0 {
				s.Values = i.sample(q, allowed, &last)
			}
			if !yield(s) {
				return nil
			}
			select {
			case <-next.C:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}

// sample returns the values that were sampled since the last call, and has more of them sampled.
func (i *Inspector) sample(q Query, allowed bool, last *uint64) (values []Value) {
	i.registry.Sample(q.Values, 2*q.every()+time.Second, q.Contents && allowed)
	for _, v := range i.registry.Samples(q.Values, *last) {
		*last = v.Number
		if !q.Contents || !allowed {
			v.Text = ""
		}
		values = append(values, Value(v))
	}
	return values
}
