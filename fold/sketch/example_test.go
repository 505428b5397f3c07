package sketch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/fold/sketch"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// The quantiles are within 1% of 989 and 500.
func ExampleQuantiles() {
	times := operators.Map(func(n int) map[string]sketch.Distribution {
		return map[string]sketch.Distribution{[]string{"odd", "even"}[(n+1)%2]: sketch.Number(float64(n))}
	})
	byKey := operators.Fold(fold.ByKey[string](sketch.Quantiles()))
	all, err := byKey(times(stream.Range(1, 1000))).Last(context.Background()).Get()
	fmt.Printf("%.0f %.0f %v\n", all["odd"].Quantile(0.99), all["even"].Quantile(0.5), err)
	// Output: 983 498 <nil>
}

func ExampleDistinct() {
	visitors := stream.Pipe2(
		stream.Just("ann", "bob", "ann", "cem", "bob"),
		operators.Map(sketch.Member),
		operators.Fold(sketch.Distinct()),
	)
	all, err := visitors.Last(context.Background()).Get()
	fmt.Println(all.Len(), err)
	// Output: 3 <nil>
}

// Of a million requests, one in a hundred asks for "/popular" and all others for pages of
// their own. One in 101 requests is the largest error.
func ExampleTopK() {
	pages := stream.Pipe2(
		stream.Range(0, 1_000_000),
		operators.Map(func(n int) sketch.Counts {
			if n%100 == 0 {
				return sketch.Item("/popular")
			}
			return sketch.Item(fmt.Sprint("/", n))
		}),
		operators.Fold(sketch.TopK(1000)),
	)
	all, err := pages.Last(context.Background()).Get()
	top := all.Top(1)[0]
	fmt.Println(top.Item, top.AtMost-top.AtLeast < 1000, top.AtLeast <= 10_000 && 10_000 <= top.AtMost, err)
	// Output: /popular true true <nil>
}

func ExampleBloom() {
	blocked := stream.Pipe2(
		stream.Just("mallory", "trudy", "eve"),
		operators.Map(sketch.Key),
		operators.Fold(sketch.Bloom(1000, 0.001)),
	)
	all, err := blocked.Last(context.Background()).Get()
	fmt.Println(all.Has("eve"), all.Has("alice"), err)
	// Output: true false <nil>
}

// A sample of all numbers up to a thousand, drawn in two parts.
func ExampleReservoir() {
	m := sketch.Reservoir[int](5)
	draw := func(numbers stream.Observable[int]) sketch.Sample[int] {
		sample, _ := stream.Pipe2(numbers, operators.Map(sketch.Value[int]), operators.Fold(m)).Last(context.Background()).Get()
		return sample
	}
	all := m.Combine(draw(stream.Range(0, 300)), draw(stream.Range(300, 700)))
	fmt.Println(len(all.Values()), "of", all.Seen())
	// Output: 5 of 1000
}

// Visitors of each minute by the times in the log, one of whom is logged late.
func Example_eventTime() {
	type visit struct {
		at   string
		name string
	}
	visits := stream.Just(visit{"10:00:05", "ann"}, visit{"10:00:50", "bob"}, visit{"10:01:10", "ann"}, visit{"10:00:59", "cem"}, visit{"10:02:00", "bob"})
	clock := operators.EventTime[visit]{
		At: func(v visit) time.Time {
			t, _ := time.Parse(time.TimeOnly, v.at)
			return t.AddDate(2026, 0, 0)
		},
		Delay: 30 * time.Second,
	}
	minutes := operators.FoldEventTime(time.Minute, 0, clock, func(v visit) sketch.Set { return sketch.Member(v.name) }, sketch.Distinct())
	err := minutes(visits).ForEach(context.Background(), func(w operators.EventWindow[sketch.Set]) {
		fmt.Println(w.Start.Format(time.TimeOnly), w.Value.Len())
	})
	fmt.Println(err)
	// Output:
	// 10:00:00 3
	// 10:01:00 1
	// 10:02:00 1
	// <nil>
}

// Two processes count, and a third adds up what they send.
func Example_messages() {
	top := sketch.TopK(100)
	sent := func(words ...string) socket.Message {
		all := fold.SliceFunc(top, words, sketch.Item)
		data, err := all.MarshalBinary()
		if err != nil {
			panic(err)
		}
		return socket.NewMessageBytes(socket.OctetStream(), data)
	}
	var total sketch.Counts
	for _, message := range []socket.Message{sent("to", "be", "or"), sent("not", "to", "be", "to")} {
		var part sketch.Counts
		if err := part.UnmarshalBinary([]byte(message.Content())); err != nil {
			fmt.Println(err)
			return
		}
		total = top.Combine(total, part)
	}
	fmt.Println(total.Top(2))
	// Output: [to: 3 be: 2]
}

// Different visitors of each page.
func ExampleMember() {
	m := fold.ByKey[string](sketch.Distinct())
	all := m.Identity()
	for _, visit := range [][2]string{{"/", "ann"}, {"/", "bob"}, {"/docs", "ann"}, {"/", "ann"}} {
		all = m.Combine(all, map[string]sketch.Set{visit[0]: sketch.Member(visit[1])})
	}
	fmt.Println(all["/"].Len(), all["/docs"].Len())
	// Output: 2 1
}

func ExampleNumber() {
	all := fold.SliceFunc(sketch.Quantiles(), []float64{3, 1, 2, math.NaN()}, sketch.Number)
	fmt.Printf("%d numbers, from %.0f to %.0f\n", all.Count(), all.Quantile(0), all.Quantile(1))
	// Output: 3 numbers, from 1 to 3
}

func ExampleItem() {
	all := fold.SliceFunc(sketch.TopK(10), []string{"to", "be", "or", "not", "to", "be"}, sketch.Item)
	fmt.Println(all.Top(2), all.Of("or"), all.Total())
	// Output: [be: 2 to: 2] or: 1 6
}

func ExampleKey() {
	seen := fold.SliceFunc(sketch.Bloom(100, 0.01), []string{"a", "b"}, sketch.Key)
	fmt.Println(seen.Has("a"), seen.Has("b"), seen.FalsePositiveRate() < 0.01)
	// Output: true true true
}

func ExampleValue() {
	all := fold.SliceFunc(sketch.Reservoir[string](2), []string{"a", "a", "a"}, sketch.Value[string])
	fmt.Println(all.Values(), "of", all.Seen())
	// Output: [a a] of 3
}

func ExampleSet_MarshalText() {
	type report struct {
		Host     string
		Visitors sketch.Set
	}
	data, err := json.Marshal(report{"web1", sketch.Member("ann")})
	fmt.Println(string(data), err)

	var r report
	fmt.Println(json.Unmarshal(data, &r), r.Visitors.Len())
	// Output:
	// {"Host":"web1","Visitors":"UwECDgABAAAAAAAAAAEC/sWSAAAABJKL+xc="} <nil>
	// <nil> 1
}
