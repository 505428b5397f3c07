// Package sketch has monoids that answer questions about very many values in little memory,
// nearly right: how many are different ([Distinct]), and how they are distributed ([Quantiles]).
//
//	latency := stream.Pipe2(milliseconds,
//		operators.Map(sketch.Number),
//		operators.FoldTumblingTime(time.Minute, sketch.Quantiles()))
//
// A sketch of one value is the value itself, and takes no memory of its own, so that values
// can be mapped to sketches one by one. Sketches are encoded by MarshalBinary and combined in another
// process, or under [fold.ByKey].
//
// The package is a module of its own because of its dependencies: the sketches are those of
// github.com/axiomhq/hyperloglog and github.com/DataDog/sketches-go.
package sketch
