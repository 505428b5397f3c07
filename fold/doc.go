// Package fold combines values with monoids, and has types for a value that may be missing,
// for a value of one of two types, and for a value or an error.
//
// # Monoids
//
// A [Monoid] is a function that combines two values and its identity, a value that changes
// nothing. With it any number of values can be folded, at once or in parts:
//
//	total := fold.Slice(fold.Sum[int](), []int{20, 22}) // 42
//
// Ready-made: [Sum], [Product], [Min], [Max], [All], [Any], [First], [Last],
// [ConcatStrings], [ConcatSlices], [ByKey] for maps, [Both] for pairs and [Unit]
// for empty values. The types in brackets are those of the combined values. [New]
// makes a monoid from two functions, [Lift] from one. Package
// [github.com/rxipc/rxipc/fold/foldtest] checks that a monoid keeps its laws.
//
// [Slice] folds a slice, [Seq] an iterator, [Parallel] a slice on several
// goroutines. [SliceFunc], [SeqFunc] and [ParallelFunc] apply a function to each value
// and fold its results.
//
// # Maybe, Either, Attempt
//
//   - [Maybe] holds a value or nothing.
//   - [Either] holds a left value or a right one.
//   - [Attempt] holds the value of an operation or its error.
//
// They are small structs that are passed by value and allocate nothing. One call converts
// from the results of plain Go, and one call converts back:
//
//	attempt := fold.Try(os.ReadFile(path))
//	content, err := attempt.Get()
//
// Operations that keep the type are methods. Operations that change the type are functions,
// with a short name for Attempt and a longer one for the other two types. [Map],
// [MapMaybe] and [MapEither] change the value. [Then], [ThenMaybe] and [ThenEither] apply
// a step that may fail. [Match], [MatchMaybe] and [MatchEither] convert either case to one
// result. [Chain2] to [Chain9] apply several steps of Then in a row.
//
// All of them pass an error unchanged: [Attempt.Get] returns the error that [Try] or [Fail]
// got, so errors.Is and errors.As work on it as usual.
package fold
