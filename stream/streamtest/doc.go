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
// The rules are those of package stream, and those of the Reactive Streams
// specification for the JVM, 1.0.4, that make sense where a value is handed on by a
// call that blocks. A finding cites their numbers:
//
//	values and end                      1.4, 1.5
//	independent runs                    1.10
//	simultaneous runs                   1.11
//	nested runs                         3.2, 3.10
//	serial, on the caller's goroutine   1.3, 2.7, 2.11
//	nothing after false                 1.8, 2.6, 3.6, 3.12
//	nothing after the return            1.6, 1.7, 2.4
//	nothing is left                     3.12, 3.14
//	cancelled before                    1.8, 3.5, 3.7, 3.15
//	cancelled in yield                  1.8, 3.5, 3.15
//	cancelled while the source waits    1.8, 3.5, 3.12
//	cancelled while yield waits         1.8, 3.5
//	panic of yield                      2.13
//	Goexit of yield                     2.13
//	no reference is kept                3.13
//
// and, of operators alone:
//
//	building starts nothing             1.9
//	completion without a value          1.5, 2.9
//	failure of the source               1.4, 2.10, 4.1, 4.2
//	failure while the source cleans up  1.8, 3.6, 3.12
//	panic of the source                 1.4, 4.1
//	Goexit of the source                1.4, 4.1
//	backpressure                        1.1, 3.8
//	buffering is told                   of package stream
//	bounded memory                      1.1, 3.4
//	bounded recursion                   3.3
//
// The others speak of what is not there: a demand that is asked for by number (2.1,
// 3.9, 3.16, 3.17; the call is the demand), a subscription handed to the subscriber
// (2.3, 2.5, 2.12, 3.1, 3.11; the run is the subscription, which one caller has),
// and the subscriber's own decision where it works (2.2). Of 2.8, values that come
// after a cancellation, and of 2.13 the contract asks more: none comes, and a panic
// reaches the caller instead of being forbidden.
//
// [Misbehaving] gives sources that break one of the rules on purpose.
package streamtest
