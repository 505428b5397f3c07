package stream_test

import (
	"context"
	"testing"

	"github.com/rxipc/rxipc/stream"
)

// stagesSeen is a source that tells which stage buffers its values.
func stagesSeen(seen *string) stream.Observable[int] {
	return func(ctx context.Context, yield func(int) bool) error {
		*seen = stream.Buffering(ctx)
		yield(1)
		return nil
	}
}

func TestBufferingNamesTheNearestStage(t *testing.T) {
	run := func(o stream.Observable[int], ctx context.Context) {
		if err := o.Run(ctx); err != nil {
			t.Errorf("the run ended with %v, want nil", err)
		}
	}
	ctx := t.Context()
	for name, test := range map[string]struct {
		run  func(source stream.Observable[int])
		want string
	}{
		"nothing": {func(s stream.Observable[int]) { run(s, ctx) }, ""},
		"a stage": {func(s stream.Observable[int]) { run(s, stream.WithBuffering(ctx, "outer")) }, "outer"},
		"two stages": {func(s stream.Observable[int]) {
			run(s, stream.WithBuffering(stream.WithBuffering(ctx, "outer"), "inner"))
		}, "inner"},
		"Gather": {func(s stream.Observable[int]) {
			run(stream.Gather(1, func(g *stream.Group[int]) { g.Go(s) }), ctx)
		}, "Gather"},
		"a stage made of Gather": {func(s stream.Observable[int]) {
			run(stream.Gather(1, func(g *stream.Group[int]) { g.Go(s) }), stream.WithBuffering(ctx, "mine"))
		}, "mine"},
		"Buffered that drops": {func(s stream.Observable[int]) { run(stream.Buffered(s, 1, stream.DropOldest), ctx) }, "Gather"},
		"Timed": {func(s stream.Observable[int]) {
			var alarm stream.Alarm
			stream.Timed(ctx, s, &alarm, func(int) bool { return true }, func() bool { return true })
		}, "Gather"},
		"Subject.Feed": {func(s stream.Observable[int]) { new(stream.Subject[int]).Feed(ctx, s) }, "Subject"},
		"Channel": {func(s stream.Observable[int]) {
			values, wait := s.Channel(ctx, 1)
			<-values
			wait()
		}, "Channel"},
		"Seq": {func(s stream.Observable[int]) {
			for range s.Seq(ctx) {
			}
		}, ""},
		"Subscribe": {func(s stream.Observable[int]) { s.Subscribe(ctx, stream.Observer[int]{}).Wait() }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			seen := "was not run"
			test.run(stagesSeen(&seen))
			if seen != test.want {
				t.Errorf("the source saw %q, want %q", seen, test.want)
			}
		})
	}
}
