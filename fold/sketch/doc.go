// Package sketch has monoids that answer questions about very many values in little memory,
// nearly right. Which one for which question:
//
//   - How many are different? [Distinct]: HyperLogLog. The standard error is 0.8%, in about
//     16 KiB.
//   - How are they distributed, what is the 99th percentile? [Quantiles]: DDSketch. A quantile
//     is within 1%, in 32 KiB at most.
//   - Which are the most frequent? [TopK]: Misra-Gries. With k counters each count is within
//     1/(k+1) of the number of all values, in the memory of 2k strings.
//   - Has this one been there? [Bloom]: a Bloom filter. It is never wrong about a string that
//     was there, and wrong at a rate of choice about others, in 1.44 to 2.88 times log2(1/rate)
//     bits a string.
//   - What do they look like? [Reservoir]: a random sample of k values, in the memory of k
//     values. It has no error of its own.
//
// The exact answers, where there is memory for all values, are monoids of package fold:
// [fold.ByKey] with [fold.Sum] counts each string.
//
// # With streams
//
// A sketch of one value is the value itself, and takes no memory of its own. So map values to
// sketches one by one, with [Member], [Number], [Item], [Key] or [Value], and fold them:
//
//	latency := stream.Pipe2(milliseconds,
//		operators.Map(sketch.Number),
//		operators.FoldTumblingTime(time.Minute, sketch.Quantiles()))
//
// Everything that takes a monoid takes these. The FoldEventTime operators have windows by the
// values' own times, [fold.ByKey] and FoldByKey have a sketch for each key, [fold.Both] has two
// sketches of the same values. With keys, memory is that of one sketch times the number of keys.
//
// # The laws
//
// [Bloom] and [Reservoir] are associative and commutative exactly. [Distinct], [Quantiles] and
// [TopK] are associative and commutative within the error that they state: two ways of
// combining the same values may give different answers, and both are within the error.
//
// # Between processes
//
// MarshalBinary encodes a sketch, and UnmarshalBinary decodes it in any process: the bytes do
// not depend on the process or the processor. With package socket they are the content of a
// message:
//
//	data, err := visitors.MarshalBinary()
//	message := socket.NewMessageBytes(socket.OctetStream(), data)
//
// A message has 16 MiB at most unless the Config of package socket says otherwise, which only
// large filters, samples and counts of long strings reach.
//
// As a field of a value in JSON a sketch is a string in base64, by MarshalText. UnmarshalBinary
// takes bytes from strangers: it fails with [ErrInvalid] for any bytes that MarshalBinary does
// not write. It allocates in proportion to their number, for a [Sample] also to the size of its
// type. A sketch from elsewhere may still state anything, a count of 2^60 for instance.
//
// The receiver combines decoded sketches with its own monoid, which bounds the memory. Sketches
// of other parameters combine too; the documentation of each monoid says to what.
//
// The package is a module of its own because of its dependencies: the sketches of [Distinct],
// [Quantiles] and [Bloom] are those of github.com/axiomhq/hyperloglog,
// github.com/DataDog/sketches-go and github.com/bits-and-blooms/bloom.
package sketch
