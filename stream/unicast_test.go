package stream_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

var overflows = []stream.Overflow{stream.Block, stream.DropOldest, stream.DropNewest, stream.Fail}

func TestUnicastKeepsTheContract(t *testing.T) {
	for _, overflow := range overflows {
		for _, end := range []error{nil, errBroken} {
			t.Run(fmt.Sprint(overflow, end), func(t *testing.T) {
				streamtest.Check(t, stream.Defer(func() stream.Observable[int] {
					u := stream.NewUnicast[int](context.Background(), 3, overflow)
					for n := range 3 {
						u.Next(n)
					}
					u.Error(end)
					u.Error(errors.New("a second end"))
					return u.Observe
				}), []int{0, 1, 2}, streamtest.Fails(end))
			})
		}
	}
}

func TestUnicastOverflow(t *testing.T) {
	for _, c := range []struct {
		overflow stream.Overflow
		values   []int
		err      error
	}{
		{stream.DropOldest, []int{7, 8, 9}, nil},
		{stream.DropNewest, []int{0, 1, 2}, nil},
		{stream.Fail, []int{0, 1, 2}, stream.ErrOverflow},
	} {
		u := stream.NewUnicast[int](t.Context(), 3, c.overflow)
		for n := range 10 {
			u.Next(n)
		}
		u.Complete()
		got, err := stream.Observable[int](u.Observe).Collect(t.Context())
		wantValues(t, got, c.values...)
		wantError(t, err, c.err)
	}
}

// waits is a producer that waits with its third value, and tells what Next returned.
func waits(ctx context.Context) (*stream.Unicast[int], <-chan bool) {
	u := stream.NewUnicast[int](ctx, 2, stream.Block)
	wanted := make(chan bool, 1)
	go func() {
		u.Next(1)
		u.Next(2)
		wanted <- u.Next(3)
		u.Complete()
	}()
	synctest.Wait()
	return u, wanted
}

func TestUnicastProducerWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, wanted := waits(t.Context())
		select {
		case <-wanted:
			t.Error("a third value has room")
		default:
		}
		got, err := stream.Observable[int](u.Observe).Collect(t.Context())
		wantValues(t, got, 1, 2, 3)
		wantError(t, err, nil)
		if !<-wanted {
			t.Error("the third value was not wanted")
		}
	})
}

func TestUnicastGiverIsFreed(t *testing.T) {
	left := func(stop func(*testing.T, *stream.Unicast[int])) func(t *testing.T) {
		return func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u, wanted := waits(t.Context())
				stop(t, u)
				if <-wanted {
					t.Error("the third value was wanted")
				}
			})
		}
	}
	t.Run("by who has enough", left(func(t *testing.T, u *stream.Unicast[int]) {
		_ = u.Observe(t.Context(), func(int) bool { return false })
	}))
	t.Run("by who is cancelled", left(func(t *testing.T, u *stream.Unicast[int]) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = u.Observe(ctx, func(int) bool { time.Sleep(time.Minute); return true })
	}))
	t.Run("by who abandons", left(func(_ *testing.T, u *stream.Unicast[int]) { u.Abandon() }))
	t.Run("by its context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			_, wanted := waits(ctx)
			cancel()
			if <-wanted {
				t.Error("the third value was wanted")
			}
		})
	})
}

func TestUnicastHasOneObserver(t *testing.T) {
	for _, overflow := range overflows {
		synctest.Test(t, func(t *testing.T) {
			u := stream.NewUnicast[int](t.Context(), 2, overflow)
			first := stream.Observable[int](u.Observe).Subscribe(t.Context(), stream.Observer[int]{})
			synctest.Wait()
			wantError(t, stream.Observable[int](u.Observe).Run(t.Context()), stream.ErrObserved)
			u.Abandon() // too late
			u.Next(1)
			u.Complete()
			wantError(t, first.Wait(), nil)

			nobodys := stream.NewUnicast[int](t.Context(), 2, overflow)
			nobodys.Abandon()
			if nobodys.Next(1) {
				t.Error("who was abandoned wants more")
			}
			wantError(t, stream.Observable[int](nobodys.Observe).Run(t.Context()), stream.ErrObserved)
		})
	}
}

func TestUnicastEndsWithItsRunsContext(t *testing.T) {
	for _, overflow := range overflows {
		t.Run(fmt.Sprint(overflow), func(t *testing.T) {
			streamtest.Check(t, stream.Defer(func() stream.Observable[int] {
				u := stream.NewUnicast[int](context.Background(), 3, overflow)
				u.Next(1)
				return u.Observe
			}), []int{1}, streamtest.Endless())
		})
	}
}
