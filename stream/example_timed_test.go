package stream_test

import (
	"context"
	"fmt"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// An operator that says when its source has been silent for a while.
func ExampleTimed() {
	watch := func(source stream.Observable[string], silence time.Duration) stream.Observable[string] {
		return func(ctx context.Context, yield func(string) bool) error {
			var alarm stream.Alarm
			alarm.Set(silence)
			return stream.Timed(ctx, source, &alarm, func(v string) bool {
				alarm.Set(silence)
				return yield(v)
			}, func() bool {
				return yield("are you there?")
			})
		}
	}
	source := func(ctx context.Context, yield func(string) bool) error {
		_ = yield("hello")
		<-ctx.Done()
		return context.Cause(ctx)
	}
	for line := range watch(source, 100*time.Millisecond).Seq(context.Background()) {
		fmt.Println(line)
		if line == "are you there?" {
			break
		}
	}
	// Output:
	// hello
	// are you there?
}

func ExampleAlarm_Set() {
	var alarm stream.Alarm
	alarm.Set(time.Millisecond)
	rings := 0
	err := stream.Timed(context.Background(), stream.Never[int](), &alarm, nil, func() bool {
		rings++
		alarm.Set(time.Millisecond) // it rings once, unless it is set anew
		return rings < 3
	})
	fmt.Println(rings, err)
	// Output: 3 <nil>
}

func ExampleAlarm_Stop() {
	var alarm stream.Alarm
	alarm.Set(time.Hour)
	value := func(v int) bool {
		alarm.Stop() // there was one in time
		fmt.Println(v)
		return true
	}
	late := func() bool { fmt.Println("late"); return false }
	fmt.Println(stream.Timed(context.Background(), stream.Just(7), &alarm, value, late))
	// Output:
	// 7
	// <nil>
}

// Five values for a consumer that is at the first of them: two wait, two are lost.
func ExampleBuffered() {
	busy, over := make(chan struct{}), make(chan struct{})
	source := func(ctx context.Context, yield func(int) bool) error {
		defer close(over)
		_ = yield(1)
		<-busy
		return stream.Range(2, 4).ForEach(ctx, func(n int) { yield(n) })
	}
	err := stream.Buffered(source, 2, stream.DropOldest).ForEach(context.Background(), func(n int) {
		if n == 1 {
			close(busy)
			<-over
		}
		fmt.Println(n)
	})
	fmt.Println(err)
	// Output:
	// 1
	// 4
	// 5
	// <nil>
}
