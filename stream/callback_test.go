package stream_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// device is a callback API: it tells the values, one a second, on a goroutine of its own
// until it is stopped.
func device(tell func(int) bool, over func(), values ...int) (stop func()) {
	quit := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		for _, v := range values {
			select {
			case <-time.After(time.Second):
				tell(v)
			case <-quit:
				return
			}
		}
		over()
	})
	return func() { close(quit); ended.Wait() }
}

func init() {
	maps.Copy(contracts, map[string]func(*testing.T){
		"Create": func(t *testing.T) {
			for _, overflow := range []stream.Overflow{stream.Block, stream.DropOldest, stream.DropNewest, stream.Fail} {
				t.Run(fmt.Sprint("overflow ", overflow), func(t *testing.T) {
					told := stream.Create(8, overflow, func(_ context.Context, e *stream.Emitter[int]) (func(), error) {
						return device(e.Next, e.Complete, 1, 2, 3), nil
					})
					streamtest.Check(t, told, []int{1, 2, 3})
				})
			}
			t.Run("failing", func(t *testing.T) {
				told := stream.Create(8, stream.Block, func(_ context.Context, e *stream.Emitter[int]) (func(), error) {
					return device(e.Next, func() { e.Error(errBroken) }, 1, 2), nil
				})
				streamtest.Check(t, told, []int{1, 2}, streamtest.Fails(errBroken))
			})
			t.Run("failing to start", func(t *testing.T) {
				streamtest.Check(t, stream.Create(8, stream.Block, func(_ context.Context, e *stream.Emitter[int]) (func(), error) {
					e.Next(1)
					return func() { t.Error("stopped, but not started") }, errBroken
				}), []int{1}, streamtest.Fails(errBroken))
			})
			t.Run("emitting in start", func(t *testing.T) {
				streamtest.Check(t, stream.Create(1, stream.Block, func(_ context.Context, e *stream.Emitter[int]) (func(), error) {
					for i := range 5 {
						e.Next(i)
					}
					e.Complete()
					return nil, nil
				}), []int{0, 1, 2, 3, 4})
			})
		},
	})
}

func TestCreateFreesACallbackThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopped := false
		source := stream.Create(1, stream.Block, func(_ context.Context, e *stream.Emitter[int]) (func(), error) {
			stop := device(e.Next, e.Complete, 1, 2, 3, 4, 5)
			return func() { stop(); stopped = true }, nil
		})
		got := source.First(t.Context())
		if v, err := got.Get(); v != 1 || err != nil || !stopped {
			t.Errorf("got %v, stopped %v", got, stopped)
		}
		err := source(t.Context(), func(int) bool {
			time.Sleep(time.Minute) // the callback waits
			return false
		})
		wantError(t, err, nil)
	})
}

func TestCreateTurnsAwayWhatComesLate(t *testing.T) {
	var late *stream.Emitter[int]
	source := stream.Create(1, stream.Block, func(_ context.Context, e *stream.Emitter[int]) (func(), error) {
		late = e
		e.Next(1)
		e.Complete()
		e.Error(errBroken) // only the first end counts
		return nil, nil
	})
	values, err := source.Collect(t.Context())
	wantError(t, err, nil)
	wantValues(t, values, 1)
	for range 3 {
		if late.Next(2) {
			t.Error("a value is wanted after the end")
		}
	}
	late.Complete()
}

func TestCreateHandsPanicsOn(t *testing.T) {
	for name, start := range map[string]func(context.Context, *stream.Emitter[int]) (func(), error){
		"start": func(context.Context, *stream.Emitter[int]) (func(), error) { panic(errBroken) },
		"stop": func(_ context.Context, e *stream.Emitter[int]) (func(), error) {
			e.Complete()
			return func() { panic(errBroken) }, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if err, ok := recover().(error); !ok || !errors.Is(err, errBroken) {
					t.Errorf("run a source whose function panics: got %v, want its panic to reach the caller", err)
				}
			}()
			_ = stream.Create(1, stream.Block, start).Run(t.Context())
		})
	}
}
