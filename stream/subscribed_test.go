package stream_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// waiting are sources that wait, and what each emits before it does.
var waiting = map[string]struct {
	source func() stream.Observable[int]
	first  int
}{
	"Never":    {stream.Never[int], 0},
	"Interval": {func() stream.Observable[int] { return stream.Interval(time.Hour) }, 0},
	"FromChannel": {func() stream.Observable[int] {
		c := make(chan int, 3)
		c <- 1
		c <- 2
		return stream.FromChannel(c)
	}, 2},
	"Subject": {func() stream.Observable[int] {
		return new(stream.Subject[int]).Observe(1, stream.Block)
	}, 0},
	"BehaviorSubject": {func() stream.Observable[int] {
		return stream.NewBehaviorSubject(7).Observe(1, stream.DropOldest)
	}, 1},
	"ReplaySubject": {func() stream.Observable[int] {
		s := stream.NewReplaySubject[int](4, 0)
		for n := range 9 {
			s.Next(n)
		}
		return s.Observe(1, stream.Block)
	}, 4},
	"Audience": {func() stream.Observable[int] { return new(stream.Subject[int]).Audience() }, 1},
	"Unicast": {func() stream.Observable[int] {
		u := stream.NewUnicast[int](context.Background(), 4, stream.Block)
		u.Next(1)
		return u.Observe
	}, 1},
	"Unicast that drops": {func() stream.Observable[int] {
		u := stream.NewUnicast[int](context.Background(), 4, stream.DropNewest)
		u.Next(1)
		return u.Observe
	}, 1},
	"Gather": {func() stream.Observable[int] {
		return stream.Gather(1, func(g *stream.Group[int]) {
			g.Go(stream.NewBehaviorSubject(7).Observe(1, stream.Block))
			g.Go(stream.Just(8))
			g.Go(stream.Never[int]())
		})
	}, 2},
	"Buffered": {func() stream.Observable[int] {
		return stream.Buffered(stream.NewBehaviorSubject(7).Observe(1, stream.Block), 1, stream.Block)
	}, 1},
	"Buffered that drops": {func() stream.Observable[int] {
		return stream.Buffered(stream.NewBehaviorSubject(7).Observe(1, stream.Block), 1, stream.DropOldest)
	}, 1},
	"Create": {func() stream.Observable[int] {
		return stream.Create(1, stream.Block, func(_ context.Context, e *stream.Emitter[int]) (func(), error) {
			time.Sleep(time.Minute) // to register takes its time
			e.Next(1)
			return nil, nil
		})
	}, 1},
	"Timed": {func() stream.Observable[int] {
		return func(ctx context.Context, yield func(int) bool) error {
			source := stream.NewBehaviorSubject(7).Observe(1, stream.Block)
			return stream.Timed(ctx, source, new(stream.Alarm), yield, func() bool { return true })
		}
	}, 1},
}

func TestOnSubscribedComesOnceAfterWhatIsThereAtOnce(t *testing.T) {
	for name, w := range waiting {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, called, before := 0, 0, 0
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				watched := stream.OnSubscribed(ctx, func() { called++; before = got })
				err := w.source()(watched, func(int) bool { got++; return true })
				wantError(t, err, context.DeadlineExceeded)
				if called != 1 || before != w.first {
					t.Errorf("OnSubscribed called %d times, after %d values; want once, after %d", called, before, w.first)
				}
			})
		})
	}
}

func TestOnSubscribedSubjectCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var subject stream.Subject[int]
		observers := -1
		ctx, cancel := context.WithCancel(t.Context())
		watched := stream.OnSubscribed(ctx, func() { observers = subject.Observers(); cancel() })
		nested := stream.Gather(1, func(g *stream.Group[int]) {
			g.Go(stream.Buffered(subject.Observe(1, stream.Fail), 1, stream.DropOldest))
			g.Go(subject.Observe(1, stream.Block))
		})
		wantError(t, nested.Run(watched), context.Canceled)
		if observers != 2 {
			t.Errorf("the subject counted %d observers when the run was subscribed, want 2", observers)
		}
	})
}

func TestOnSubscribedIsNotNeeded(t *testing.T) {
	stream.Subscribed(t.Context()) // nobody waits
	ctx := stream.OnSubscribed(t.Context(), func() { t.Error("f called in a run without a pause, want no call") })
	wantError(t, stream.Range(1, 3).Run(ctx), nil)
	wantError(t, stream.Timer(0).Run(ctx), nil)
}
