package operators_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// An event is something that happened so many milliseconds after 1970.
type event struct{ number, at, key int }

func (e event) time() time.Time { return time.UnixMilli(int64(e.at)) }

// randomEvents come out of order, some before 1970.
func randomEvents(random *rand.Rand) []event {
	events := make([]event, random.IntN(20))
	at := random.IntN(60) - 40
	for i := range events {
		at += random.IntN(12)
		events[i] = event{i, at - random.IntN(1+random.IntN(30)), random.IntN(3)}
	}
	return events
}

// randomClock is an EventTime that keeps the numbers of late events in late.
func randomClock(random *rand.Rand, late *[]int) operators.EventTime[event] {
	return operators.EventTime[event]{
		At:       event.time,
		Delay:    time.Duration(random.IntN(15)) * ms,
		Lateness: time.Duration(max(0, random.IntN(30)-10)) * ms,
		Late:     func(e event) { *late = append(*late, e.number) },
	}
}

// windowSeen is a line for an emission.
func windowSeen(start, end time.Time, value any, updates int) string {
	return fmt.Sprint(start.UnixMilli(), "–", end.UnixMilli(), " ", value, " ", updates)
}

func windowsSeen[V any](t *testing.T, source stream.Observable[operators.EventWindow[V]]) (seen []string) {
	t.Helper()
	if err := source.ForEach(t.Context(), func(w operators.EventWindow[V]) { seen = append(seen, windowSeen(w.Start, w.End, w.Value, w.Updates)) }); err != nil {
		t.Errorf("the run over a source that completes returned %v", err)
	}
	return seen
}

// modelWindow is a window of the model, with all its values.
type modelWindow struct {
	start, end, updates int
	events              []event
	shown               bool
}

// modelWindows are the emissions, and what is late, of windows each of which keeps all its
// values.
func modelWindows(events []event, size, every int, c operators.EventTime[event], show func([]event) any) (seen []string, late []int) {
	delay, lateness := int(c.Delay/ms), int(c.Lateness/ms)
	watermark := -1 << 40
	windows := make(map[int]*modelWindow)
	emit := func(w *modelWindow) {
		seen = append(seen, windowSeen(time.UnixMilli(int64(w.start)), time.UnixMilli(int64(w.end)), show(w.events), w.updates))
		w.shown, w.updates = true, w.updates+1
	}
	advance := func() {
		for _, start := range slices.Sorted(maps.Keys(windows)) {
			if w := windows[start]; w.end <= watermark && !w.shown {
				emit(w)
			}
		}
	}
	for _, e := range events {
		inSome, inOpen := false, false
		for start := -3000; start <= 3000; start++ {
			if start%every != 0 || e.at < start || e.at >= start+size {
				continue
			}
			inSome = true
			if start+size+lateness <= watermark {
				continue
			}
			inOpen = true
			if windows[start] == nil {
				windows[start] = &modelWindow{start: start, end: start + size}
			}
			w := windows[start]
			if w.events = append(w.events, e); w.end <= watermark {
				emit(w)
			}
		}
		if inSome && !inOpen {
			late = append(late, e.number)
		}
		watermark = max(watermark, e.at-delay)
		advance()
	}
	watermark = 1 << 40
	advance()
	return seen, late
}

// inParts are numbers of events in the order of the parts that overlapping windows share.
func inParts(width int) func([]event) any {
	return func(events []event) any {
		events = slices.Clone(events)
		slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare((a.at+9000*width)/width, (b.at+9000*width)/width) })
		numbers := []int{}
		for _, e := range events {
			numbers = append(numbers, e.number)
		}
		return numbers
	}
}

func divisor(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func numberOf(e event) int { return e.number }

func keyAndNumber(e event) (key, number int) { return e.key, e.number }

func TestEventTimeWindowsAgainstAModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(randomRuns) {
		random := rand.New(rand.NewPCG(seed, 7))
		var late []int
		events, c := randomEvents(random), randomClock(random, &late)
		size := 1 + random.IntN(20)
		every := []int{size, 1 + random.IntN(size), size + random.IntN(9)}[random.IntN(3)]
		length, step := time.Duration(size)*ms, time.Duration(every)*ms
		agree := func(what string, got []string, want []string, wantLate []int) {
			t.Helper()
			if !slices.Equal(got, want) || !slices.Equal(late, wantLate) {
				t.Fatalf("seed %d, %s of %d every %d, delay %v, lateness %v, of %v:\ngot  %q, late %v\nwant %q, late %v",
					seed, what, size, every, c.Delay, c.Lateness, events, got, late, want, wantLate)
			}
			late = nil
		}
		source := stream.FromSlice(events)
		want, wantLate := modelWindows(events, size, every, c, inParts(divisor(size, every)))
		numbers := operators.Map(func(w operators.EventWindow[[]event]) operators.EventWindow[[]int] {
			out := operators.EventWindow[[]int]{Start: w.Start, End: w.End, Updates: w.Updates, Value: []int{}}
			for _, e := range w.Value {
				out.Value = append(out.Value, e.number)
			}
			return out
		})
		agree("BufferEventTime", windowsSeen(t, numbers(operators.BufferEventTime(length, step, c)(source))), want, wantLate)
		want, wantLate = modelWindows(events, size, every, c, func(events []event) any { return fold.SliceFunc(fold.Sum[int](), events, numberOf) })
		agree("FoldEventTime", windowsSeen(t, operators.FoldEventTime(length, step, c, numberOf, fold.Sum[int]())(source)), want, wantLate)
		want, wantLate = modelWindows(events, size, every, c, func(events []event) any {
			totals := make(map[int]int)
			for _, e := range events {
				totals[e.key] += e.number
			}
			return totals
		})
		agree("FoldEventTimeByKey", windowsSeen(t, operators.FoldEventTimeByKey(length, step, c, keyAndNumber, fold.Sum[int]())(source)), want, wantLate)
	}
}

// modelSessions are the emissions, and what is late, of sessions that are looked for among
// all there are.
func modelSessions(events []event, gap int, c operators.EventTime[event]) (seen []string, late []int) {
	delay, lateness := int(c.Delay/ms), int(c.Lateness/ms)
	watermark := -1 << 40
	var all []*modelWindow // in the order in which they began; end is the time of the last value
	ready := func() {
		due := slices.DeleteFunc(slices.Clone(all), func(w *modelWindow) bool { return w.shown || w.end+gap > watermark })
		slices.SortStableFunc(due, func(a, b *modelWindow) int { return cmp.Compare(a.end, b.end) })
		for _, w := range due {
			numbers := []int{}
			for _, e := range w.events {
				numbers = append(numbers, e.number)
			}
			value := fold.PairOf(w.events[0].key, numbers)
			seen = append(seen, windowSeen(time.UnixMilli(int64(w.start)), time.UnixMilli(int64(w.end+gap)), value, w.updates))
			w.shown, w.updates = true, w.updates+1
		}
		all = slices.DeleteFunc(all, func(w *modelWindow) bool { return w.end+gap+lateness <= watermark })
	}
	for _, e := range events {
		var found []*modelWindow
		for _, w := range all {
			if w.events[0].key == e.key && e.at < w.end+gap && e.at > w.start-gap {
				found = append(found, w)
			}
		}
		slices.SortFunc(found, func(a, b *modelWindow) int { return cmp.Compare(a.start, b.start) })
		switch {
		case len(found) == 0 && e.at+gap+lateness <= watermark:
			late = append(late, e.number)
			continue
		case len(found) == 0:
			found = []*modelWindow{{start: e.at, end: e.at}}
			all = append(all, found[0])
		}
		into := found[0]
		for _, w := range found[1:] {
			into.end, into.updates, into.events = w.end, into.updates+w.updates, append(into.events, w.events...)
			all = slices.DeleteFunc(all, func(x *modelWindow) bool { return x == w })
		}
		into.start, into.end, into.shown, into.events = min(into.start, e.at), max(into.end, e.at), false, append(into.events, e)
		ready()
		watermark = max(watermark, e.at-delay)
		ready()
	}
	watermark = 1 << 40
	ready()
	return seen, late
}

func TestFoldSessionsAgainstAModel(t *testing.T) {
	for seed := range uint64(randomRuns) {
		random := rand.New(rand.NewPCG(seed, 7))
		var late []int
		events, c, gap := randomEvents(random), randomClock(random, &late), 1+random.IntN(15)
		op := operators.FoldSessions(time.Duration(gap)*ms, c, func(e event) (int, []int) { return e.key, []int{e.number} }, fold.ConcatSlices[[]int]())
		got := windowsSeen(t, op(stream.FromSlice(events)))
		want, wantLate := modelSessions(events, gap, c)
		if !slices.Equal(got, want) || !slices.Equal(late, wantLate) {
			t.Fatalf("seed %d, gap %d, delay %v, lateness %v, of %v:\ngot  %q, late %v\nwant %q, late %v",
				seed, gap, c.Delay, c.Lateness, events, got, late, want, wantLate)
		}
	}
}

// clockwise is the event time of a number: so many milliseconds.
var clockwise = operators.EventTime[int]{At: func(n int) time.Time { return time.UnixMilli(int64(n)) }}

// sizeOfEach says how many values each window has.
func sizeOfEach[T any](op stream.Operator[int, operators.EventWindow[[]T]]) stream.Operator[int, int] {
	return func(source ints) ints {
		return operators.Map(func(w operators.EventWindow[[]T]) int { return len(w.Value) })(op(source))
	}
}

func value[V any](op stream.Operator[int, operators.EventWindow[V]]) stream.Operator[int, V] {
	return func(source ints) stream.Observable[V] {
		return operators.Map(func(w operators.EventWindow[V]) V { return w.Value })(op(source))
	}
}

func init() {
	all := []int{1, 2, 5, 6, 13}
	held := []streamtest.Option{streamtest.LosesOnFailure(), streamtest.ReadAhead(len(all))}
	sum := fold.Sum[int]()
	byMod3 := func(n int) (int, int) { return modulo3(n), n }
	buffer := sizeOfEach(operators.BufferEventTime(4*ms, 0, clockwise))
	folded := value(operators.FoldEventTime(4*ms, 2*ms, clockwise, func(n int) int { return n }, sum))
	byKey := value(operators.FoldEventTimeByKey(4*ms, 0, clockwise, byMod3, sum))
	session := value(operators.FoldSessions(2*ms, clockwise, func(n int) (string, int) { return "k", n }, sum))
	maps.Copy(contracts, map[string]func(*testing.T){
		"BufferEventTime": func(t *testing.T) { streamtest.CheckOperator(t, buffer, all, []int{2, 2, 1}, held...) },
		"FoldEventTime": func(t *testing.T) {
			streamtest.CheckOperator(t, folded, all, []int{1, 3, 7, 11, 6, 13, 13}, held...)
			limited := clockwise
			limited.Limit = 1
			op := operators.BufferEventTime(time.Hour, 0, limited)
			streamtest.Check(t, op(stream.FromSlice(all)), nil, streamtest.Fails(operators.ErrTooManyWindows))
		},
		"FoldEventTimeByKey": func(t *testing.T) {
			streamtest.CheckOperator(t, byKey, all, []map[int]int{{1: 1, 2: 2}, {2: 5, 0: 6}, {1: 13}}, held...)
		},
		"FoldSessions": func(t *testing.T) {
			streamtest.CheckOperator(t, session, all, []fold.Pair[string, int]{fold.PairOf("k", 3), fold.PairOf("k", 11), fold.PairOf("k", 13)}, held...)
		},
	})
	totals["BufferEventTime"] = boxed(buffer)
	totals["FoldEventTime"] = boxed(folded)
	totals["FoldSessions"] = boxed(session)
	for name, over := range map[string]func(size, every time.Duration) stream.Operator[int, int]{
		"BufferEventTime": func(size, every time.Duration) stream.Operator[int, int] {
			return sizeOfEach(operators.BufferEventTime(size, every, clockwise))
		},
		"FoldEventTime": func(size, every time.Duration) stream.Operator[int, int] {
			return value(operators.FoldEventTime(size, every, clockwise, triple, sum))
		},
		"FoldEventTimeByKey": func(size, every time.Duration) stream.Operator[int, int] {
			return func(s ints) ints {
				return anyOf(operators.FoldEventTimeByKey(size, every, clockwise, byMod3, sum)(s))
			}
		},
	} {
		durationsOf[name+" size"] = func(d time.Duration) tried { return tried{over: over(d, d)(twenty), values: some} }
		durationsOf[name+" every"] = func(d time.Duration) tried { return tried{over: over(3, d)(twenty), values: some} }
	}
	durationsOf["EventTime Delay"] = func(d time.Duration) tried {
		slow := clockwise
		slow.Delay = d
		return tried{over: backwards(slow), values: 2 * inTime(d)}
	}
	durationsOf["EventTime Lateness"] = func(d time.Duration) tried {
		patient := clockwise
		patient.Lateness = d
		return tried{over: backwards(patient), values: 2 * inTime(d)}
	}
	sizesOf["EventTime Limit"] = limitedTo
	durationsOf["FoldSessions gap"] = func(d time.Duration) tried {
		return tried{over: anyOf(operators.FoldSessions(d, clockwise, byMod3, sum)(twenty)), values: some}
	}
}

// backwards are windows and sessions of a millisecond, over values from the latest to the
// earliest.
func backwards(c operators.EventTime[int]) ints {
	source := operators.Map(func(n int) int { return 19 - n })(twenty)
	one := func(n int) (int, int) { return 0, n }
	windows := value(operators.FoldEventTime(ms, 0, c, triple, fold.Sum[int]()))
	return operators.Concat(windows(source), anyOf(operators.FoldSessions(ms, c, one, fold.Sum[int]())(source)))
}

// inTime is how many of twenty values backwards are not late, each a millisecond before the
// last, when so much is waited for them.
func inTime(d time.Duration) int {
	return 1 + int((min(max(0, d), 19*ms)+ms-1)/ms)
}

// limitedTo are a window and sessions of twenty values of which n are kept.
func limitedTo(n int) tried {
	limited := clockwise
	limited.Limit, limited.Delay = n, time.Hour
	one := func(n int) (int, int) { return 0, n }
	window := sizeOfEach(operators.BufferEventTime(time.Hour, 0, limited))
	sessions := anyOf(operators.FoldSessions(ms, limited, one, fold.Sum[int]())(twenty))
	over := operators.MergeDelayError(window(twenty), sessions)
	if 0 < n && n < 20 {
		return tried{over: over, err: operators.ErrTooManyWindows}
	}
	return tried{over: over, values: 1 + 20}
}

func TestEventTimeLimitsWhatIsKept(t *testing.T) {
	limited := clockwise
	limited.Limit = 2
	for name, run := range map[string]func(ints) error{
		"values of a window": func(s ints) error { return operators.BufferEventTime(time.Hour, 0, limited)(s).Run(t.Context()) },
		"windows, as the watermark is late": func(s ints) error {
			slow := limited
			slow.Delay = time.Hour
			return operators.FoldEventTime(ms, 0, slow, triple, fold.Sum[int]())(s).Run(t.Context())
		},
		"keys of a window": func(s ints) error {
			return operators.FoldEventTimeByKey(time.Hour, 0, limited, func(n int) (int, int) { return n, n }, fold.Sum[int]())(s).Run(t.Context())
		},
		"sessions": func(s ints) error {
			return operators.FoldSessions(time.Hour, limited, func(n int) (int, int) { return n, n }, fold.Sum[int]())(s).Run(t.Context())
		},
	} {
		if err := run(stream.Range(0, 2)); err != nil {
			t.Errorf("two %s with a limit of two: the run returned %v", name, err)
		}
		if err := run(spiteful(0, 1, 2, 3)); !errors.Is(err, operators.ErrTooManyWindows) {
			t.Errorf("three %s with a limit of two: the run returned %v, want ErrTooManyWindows", name, err)
		}
	}
	// A window that was emitted no longer counts towards the limit.
	if err := operators.FoldEventTime(ms, 0, limited, triple, fold.Sum[int]())(stream.Range(0, 1000)).Run(t.Context()); err != nil {
		t.Errorf("a thousand windows, one after the other, with a limit of two: the run returned %v", err)
	}
}

func TestEventTimeOfLateValuesAsAStream(t *testing.T) {
	late := new(stream.Subject[int])
	c := clockwise
	c.Late = func(n int) { late.Next(n) }
	observed := operators.Find(func(observers int) bool { return observers > 0 })(late.Audience())
	source := operators.ConcatMap(func(int) ints { return stream.Just(5, 25, 7, 28, 3) })(observed)
	windows := sizeOfEach(operators.BufferEventTime(10*ms, 0, c))(source)
	both := operators.Merge(
		operators.Map(func(n int) string { return fmt.Sprint("late ", n) })(late.Observe(8, stream.Block)),
		operators.Map(func(n int) string { return fmt.Sprint("window of ", n) })(operators.Finally[int](func(operators.Ending, error) { late.Complete() })(windows)),
	)
	got, err := both.Collect(t.Context())
	slices.Sort(got)
	if want := []string{"late 3", "late 7", "window of 1", "window of 2"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("windows merged with their late values: got %q, %v; want %q", got, err, want)
	}
}

func TestEventTimeOfTimesOutOfBounds(t *testing.T) {
	at := []time.Time{{}, time.UnixMilli(5), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
	c := operators.EventTime[int]{At: func(n int) time.Time { return at[n] }}
	wantRun(t, sizeOfEach(operators.BufferEventTime(10*ms, 3*ms, c))(stream.Just(0, 1, 2)), nil, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
}

func TestEventTimeRefusesNil(t *testing.T) {
	sum := fold.Sum[int]()
	var none operators.EventTime[int]
	wantRefused(t, "BufferEventTime", func() { operators.BufferEventTime(ms, ms, none) })
	wantRefused(t, "FoldEventTime", func() { operators.FoldEventTime(ms, ms, clockwise, nil, sum) })
	wantRefused(t, "FoldEventTimeByKey", func() { operators.FoldEventTimeByKey[int, int, int](ms, ms, clockwise, nil, sum) })
	wantRefused(t, "FoldSessions", func() { operators.FoldSessions(ms, none, func(n int) (int, int) { return n, n }, sum) })
}
