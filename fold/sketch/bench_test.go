package sketch_test

import (
	"fmt"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/fold/sketch"
)

// BenchmarkCombine adds one value of many to a sketch; merges a sketch of many into a copy of
// another; encodes it; decodes it.
func BenchmarkCombine(b *testing.B) {
	words := zipf(1, 1<<14)
	bench(b, "Set", sketch.Distinct(), func(i int) sketch.Set { return sketch.Member(words[i]) }, sketch.Set.MarshalBinary, (*sketch.Set).UnmarshalBinary)
	bench(b, "Distribution", sketch.Quantiles(), func(i int) sketch.Distribution { return sketch.Number(float64(i + 1)) }, sketch.Distribution.MarshalBinary, (*sketch.Distribution).UnmarshalBinary)
	bench(b, "Counts", sketch.TopK(100), func(i int) sketch.Counts { return sketch.Item(words[i]) }, sketch.Counts.MarshalBinary, (*sketch.Counts).UnmarshalBinary)
	bench(b, "Filter", sketch.Bloom(10_000, 0.01), func(i int) sketch.Filter { return sketch.Key(words[i]) }, sketch.Filter.MarshalBinary, (*sketch.Filter).UnmarshalBinary)
	bench(b, "Sample", sketch.Reservoir[string](100), func(i int) sketch.Sample[string] { return sketch.Value(words[i]) }, sketch.Sample[string].MarshalBinary, (*sketch.Sample[string]).UnmarshalBinary)
}

func bench[S any](b *testing.B, kind string, m fold.Monoid[S], value func(int) S, encode func(S) ([]byte, error), decode func(*S, []byte) error) {
	b.Run(kind+"/add", func(b *testing.B) {
		b.ReportAllocs()
		all := m.Identity()
		for i := 0; b.Loop(); i++ {
			all = m.Combine(all, value(i%(1<<14)))
		}
	})
	many := m.Identity()
	for i := range 1 << 14 {
		many = m.Combine(many, value(i))
	}
	b.Run(kind+"/merge", func(b *testing.B) {
		b.ReportAllocs()
		all := fold.Copy(m, many)
		for b.Loop() {
			all = m.Combine(all, many)
		}
	})
	data, err := encode(many)
	if err != nil {
		b.Fatalf("encode a %s: got %v, want no error", kind, err)
	}
	b.Run(kind+fmt.Sprintf("/encode to %d bytes", len(data)), func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := encode(many); err != nil {
				b.Fatalf("encode a %s: got %v, want no error", kind, err)
			}
		}
	})
	b.Run(kind+"/decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := decode(new(S), data); err != nil {
				b.Fatalf("decode a %s: got %v, want no error", kind, err)
			}
		}
	})
}
