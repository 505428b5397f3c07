package streams

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/reactivex/rxgo/v2"
	"github.com/samber/ro"

	"github.com/rxipc/rxipc/benchmarks/measure"
	"github.com/rxipc/rxipc/stream"
)

const subscribers = 8

func subject() measure.Group {
	return compare(fmt.Sprintf("a subject with %d subscribers", subscribers),
		`Each value goes to all subscribers, and each subscriber has its own sum. Figures are per sent value,
not per received value. The loop calls as many closures with each value. The subscribers of rxipc, RxGo and
channels have a goroutine each and may lag behind; samber/ro calls its subscribers in turn.`,
		subjectByHand, atMost(6, rxIPC),
		append(ours(subjectOfOurs),
			way{name: samberRo, run: subjectOfRo},
			way{name: rxGo, run: subjectOfRxGo},
			way{name: channels, run: subjectOfChannels},
		)...)
}

// sums are the sums of the subscribers, on separate cache lines.
type sums [subscribers]struct {
	of int
	_  [64]byte
}

func (s *sums) all() (total int) {
	for i := range s {
		total += (i + 1) * s[i].of
	}
	return total
}

func subjectByHand(n int) int {
	var s sums
	takers := make([]func(int), subscribers)
	for i := range takers {
		takers[i] = func(v int) { s[i].of += v }
	}
	for v := range n {
		for _, take := range takers {
			take(v)
		}
	}
	return s.all()
}

func subjectOfOurs(ctx context.Context, n int) (int, error) {
	var s sums
	var subject stream.Subject[int]
	observer := subject.Observe(capacity, stream.Block)
	failures := make([]error, subscribers)
	var observing sync.WaitGroup
	for i := range subscribers {
		observing.Go(func() { failures[i] = observer.ForEach(ctx, func(v int) { s[i].of += v }) })
	}
	for subject.Observers() < subscribers {
		runtime.Gosched()
	}
	for v := range n {
		subject.Next(v)
	}
	subject.Complete()
	observing.Wait()
	return s.all(), errors.Join(failures...)
}

func subjectOfRo(_ context.Context, n int) (int, error) {
	var s sums
	subject := ro.NewPublishSubject[int]()
	for i := range subscribers {
		subject.Subscribe(ro.OnNext(func(v int) { s[i].of += v }))
	}
	for v := range n {
		subject.Next(v)
	}
	subject.Complete()
	return s.all(), nil
}

func subjectOfRxGo(ctx context.Context, n int) (int, error) {
	var s sums
	values := make(chan rxgo.Item, capacity)
	subject := rxgo.FromChannel(values, rxgo.WithPublishStrategy())
	var observing sync.WaitGroup
	for i := range subscribers {
		items := subject.Observe(buffered)
		observing.Go(func() {
			for item := range items {
				s[i].of += item.V.(int)
			}
		})
	}
	_, disconnect := subject.Connect(ctx)
	defer disconnect()
	for v := range n {
		values <- rxgo.Of(v)
	}
	close(values)
	observing.Wait()
	return s.all(), nil
}

func subjectOfChannels(_ context.Context, n int) (int, error) {
	var s sums
	outs := make([]chan int, subscribers)
	var receiving sync.WaitGroup
	for i := range outs {
		outs[i] = make(chan int, capacity)
		receiving.Go(func() {
			for v := range outs[i] {
				s[i].of += v
			}
		})
	}
	for v := range n {
		for _, out := range outs {
			out <- v
		}
	}
	for _, out := range outs {
		close(out)
	}
	receiving.Wait()
	return s.all(), nil
}
