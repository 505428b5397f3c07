// Package streamtest tests observables and operators: what they emit and when, in
// virtual time, and whether they keep the contract of package stream.
//
// # Marble diagrams
//
// [Run] gives a test a [Bench] with sources and expectations that are drawn:
//
//	func TestDebounce(t *testing.T) {
//		streamtest.Run(t, func(b *streamtest.Bench) {
//			source := streamtest.Watch(b, b.Cold("-ab---c--|"), "^--------!")
//			b.Expect(debounce(2*time.Millisecond)(source), "----b---c|")
//		})
//	}
//
// A column of a diagram is a frame, a millisecond unless [Bench.Frame] says so:
//
//	a      a value, or any other character; it costs its own column alone
//	-      nothing happens
//	|      completion
//	#      failure, with ErrFailed or what BindError says
//	(ab)   all of it in the frame of the opening parenthesis: one column's time
//	^      the subscription: of a hot source, that is now; of an expected run,
//	       where it begins
//	!      the unsubscription of an expected run
//	10ms   so long nothing happens (1s, 1m30s …), a word between spaces
//	space  costs nothing, for diagrams that stand under each other
//
// Frames are counted from the start of the test, those of a cold source from the
// start of its run. What happens between two frames belongs to the first of them.
//
// Values have the names that a map gives them. Without one, letters stand for
// themselves for strings and digits for numbers. A test whose expectations are not
// met says which, with the two diagrams under each other:
//
//	debounce_test.go:13: the run is not as expected
//	    expected  ----b---c|
//	      actual  ---b----c|
//	                 ^^
//	    frame 3: got "b", expected nothing
//	    frame 4: expected "b", got nothing
//
// It all takes place in a bubble of [testing/synctest], so that time passes by
// itself and code with timers of its own needs no clock handed to it. What is due
// in the same frame has an order, see [Run], so that a test passes always or never.
//
// [Bench.At] acts at a frame. [Record] looks at a run step by step, where what
// nobody looks at fails the test. [Property] repeats a test with random numbers,
// for sources by [RandomDiagram], and prints the seed of the one that failed.
//
// # The contract
//
// [Check] and [CheckOperator] check the contract, in the manner of
// [testing/fstest]:
//
//	func TestEven(t *testing.T) {
//		even := operators.Filter(func(n int) bool { return n%2 == 0 })
//		streamtest.CheckOperator(t, even, []int{1, 2, 3, 4}, []int{2, 4})
//	}
//
// Each rule of the contract is a subtest, named after it, and runs in a bubble
// too: hours pass in no time, and what is left behind is seen. So what is checked
// must wait only in ways that a bubble knows (channels, timers, sync.Cond,
// sync.WaitGroup), not for the network or a file, and must make its channels
// inside: a source that owns one is wrapped in [stream.Defer].
//
// [Misbehaving] gives sources that break one of the rules on purpose.
package streamtest
