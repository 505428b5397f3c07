package streams

import (
	"context"
	"fmt"
	"time"

	"github.com/rxipc/rxipc/benchmarks/measure"
	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// The windows have a length of windowSize milliseconds. A value may be windowDelay milliseconds late.
const (
	windowSize  = 1000
	windowDelay = 50
)

func eventTime() measure.Group {
	return compare(fmt.Sprintf("totals of %d keys in windows of event time", keyCount),
		`Sum the values with the same remainder, in windows of a thousand milliseconds. Each value has a time, and
they come out of order. A window ends when a value is 50 ms later than its end. The loop keeps a map for each open
window; the channels have the same code between two goroutines. samber/ro and RxGo have no windows of event time.`,
		windowsByHand, nil,
		way{name: rxIPC, run: endless(windowsOfOurs)},
		way{name: ending, run: windowsOfOurs},
		way{name: channels, run: windowsOfChannels},
	)
}

// happened returns the time of a value in milliseconds.
func happened(n int) int { return n + 30 - n%7*5 }

// inOrder combines a result with the totals of the next window.
func inOrder(result int, window map[int]int) int { return result*31 + mixed(window) }

// openWindows are the windows that have not ended.
type openWindows struct {
	totals    map[int]map[int]int
	first     int // number of the earliest window
	watermark int
}

// add adds a value, and gives each window that has ended to end.
func (o *openWindows) add(n int, end func(map[int]int)) {
	at := int(time.UnixMilli(int64(happened(n))).UnixMilli())
	number := at / windowSize
	if o.totals[number] == nil {
		o.totals[number] = map[int]int{}
	}
	o.totals[number][keyOf(n)] += n
	o.watermark = max(o.watermark, at-windowDelay)
	for (o.first+1)*windowSize <= o.watermark {
		o.endFirst(end)
	}
}

func (o *openWindows) endFirst(end func(map[int]int)) {
	if window := o.totals[o.first]; window != nil {
		end(window)
		delete(o.totals, o.first)
	}
	o.first++
}

// endAll ends the windows that are left.
func (o *openWindows) endAll(end func(map[int]int)) {
	for len(o.totals) > 0 {
		o.endFirst(end)
	}
}

func windowsByHand(n int) (result int) {
	open := openWindows{totals: map[int]map[int]int{}}
	end := func(window map[int]int) { result = inOrder(result, window) }
	for i := range n {
		open.add(i, end)
	}
	open.endAll(end)
	return result
}

func windowsOfOurs(ctx context.Context, n int) (result int, err error) {
	clock := operators.EventTime[int]{
		At:    func(n int) time.Time { return time.UnixMilli(int64(happened(n))) },
		Delay: windowDelay * time.Millisecond,
	}
	err = stream.Pipe1(stream.Range(0, n),
		operators.FoldEventTimeByKey(windowSize*time.Millisecond, 0, clock, keyed, fold.Sum[int]())).
		ForEach(ctx, func(w operators.EventWindow[map[int]int]) { result = inOrder(result, w.Value) })
	return result, err
}

func windowsOfChannels(_ context.Context, n int) (result int, err error) {
	windows := make(chan map[int]int, capacity)
	go func() {
		defer close(windows)
		open := openWindows{totals: map[int]map[int]int{}}
		end := func(window map[int]int) { windows <- window }
		for v := range count(0, n) {
			open.add(v, end)
		}
		open.endAll(end)
	}()
	for window := range windows {
		result = inOrder(result, window)
	}
	return result, nil
}
