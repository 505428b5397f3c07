// Package streamtest checks that observables and operators keep the contract of
// package stream, in the manner of [testing/fstest].
//
//	func TestEven(t *testing.T) {
//		even := operators.Filter(func(n int) bool { return n%2 == 0 })
//		streamtest.CheckOperator(t, even, []int{1, 2, 3, 4}, []int{2, 4})
//	}
//
// Each rule of the contract is a subtest, named after it, and runs in a bubble
// of [testing/synctest]: hours pass in no time, and what is left behind is seen.
// So what is checked must wait only in ways that a bubble knows (channels, timers,
// sync.Cond, sync.WaitGroup), not for the network or a file, and must make its
// channels inside: a source that owns one is wrapped in [stream.Defer].
package streamtest
