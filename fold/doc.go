// Package fold combines values, and keeps values that may be missing, of two
// kinds, or failed.
//
// # Monoids
//
// A [Monoid] says how two values become one and which value changes nothing.
// That is all it takes to fold any number of values, in one go or in pieces:
//
//	total := fold.Slice(fold.Sum[int](), []int{20, 22}) // 42
//
// Ready-made: [Sum], [Product], [Min], [Max], [All], [Any], [First], [Last],
// [ConcatStrings], [ConcatSlices], [ByKey] for maps, [Both] for pairs and [Unit]
// for nothing at all. The types in brackets are the ones being combined. [New]
// makes a monoid from two functions, [Lift] from one. Package
// [github.com/rxipc/rxipc/fold/foldtest] checks that a monoid keeps its laws.
//
// [Slice] folds a slice, [Seq] an iterator, [Parallel] a slice on several
// goroutines. [SliceFunc], [SeqFunc] and [ParallelFunc] fold what a function
// makes of each value.
//
// # Maybe, Either, Attempt
//
//   - [Maybe] holds a value or nothing.
//   - [Either] holds a left value or a right one.
//   - [Attempt] holds a value or the error met on the way to it.
//
// They are small structs that are passed by value and allocate nothing. Each is
// made from plain Go in one call and opens into plain Go in one call:
//
//	attempt := fold.Try(os.ReadFile(path))
//	content, err := attempt.Get()
//
// What keeps the type is a method, what changes it is a function. The functions
// have a plain name for Attempt and a longer one for the other two: [Map],
// [MapMaybe] and [MapEither] change the value; [Then], [ThenMaybe] and
// [ThenEither] go on with a step that may itself fail; [Match], [MatchMaybe] and
// [MatchEither] end with one result whatever was held. [Chain2] to [Chain9] are
// several steps of Then written in a row.
//
// An error passes through all of them untouched: what [Attempt.Get] returns is
// the error that came in, so errors.Is and errors.As work on it as usual.
package fold
