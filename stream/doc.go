// Package stream holds the Observable, its contract, where observables come
// from and how their values come out again.
//
// An [Observable] is a function. Calling it is subscribing: it pushes values
// into yield until it completes, fails or is no longer wanted. It is an
// [iter.Seq] with the two things that asynchronous sources need beside: a
// context, and an error at the end.
//
//	err := stream.Range(1, 3)(ctx, func(n int) bool {
//		fmt.Println(n)
//		return true // false: no more, thank you
//	})
//
// # The contract
//
// Whoever writes an observable or an operator keeps these six rules; whoever
// uses one may rely on them. Package streamtest checks them for any of either.
//
//  1. Independent runs. Each call is a run of its own, with its own state and
//     its own values, unless the source is documented as hot.
//  2. Serial, on the caller's goroutine. yield is called on the goroutine that
//     called the observable, one call at a time, never again after it returned
//     false, never after the run has returned. Operators hold plain local
//     variables: no locks, no atomics. A panic or a [runtime.Goexit] in a
//     function of the user's travels up the caller's own stack.
//  3. One end. nil says completed, or no longer wanted; an error says failed.
//     Values delivered before a failure stay delivered.
//  4. Cancellation. When ctx is done the run ends promptly, whatever it is
//     blocked on, and returns [context.Cause] of ctx. A run that failed for
//     another reason in the same moment may report that reason instead; a run whose
//     ctx is done reports no completion, even if ctx ended with the last value, and
//     emits nothing that says "that was all".
//  5. Nothing is left. When a run returns, all that it started has ended:
//     goroutines, timers, sockets, files. There is no Close to forget.
//  6. Backpressure is the call itself. A slow yield slows the source. Where
//     values cross to another goroutine there is a bounded buffer with a stated
//     capacity and a stated [Overflow]; waiting is the default. A stage that lets
//     yield return before what follows has handled the value says so to its source,
//     with [WithBuffering]. What a policy drops is counted in the [Drops] of the context.
//
// # Composing
//
// An [Operator] makes one observable out of another. [Pipe1] to [Pipe9] compose
// them left to right. The catalogue of operators is in package operators; this
// package keeps what they are made of.
//
// # Where goroutines are
//
// A pipeline of plain operators has none: it runs on its caller's stack. Values
// change goroutines in [Gather], which has a single-producer, single-consumer queue for
// each producer. All stages that need several producers at once are made of it. [Timed] is
// Gather with one producer and an [Alarm]. [Buffered], [Create] and the observers of a
// [Subject] have a buffer with an [Overflow] of its own, which a broadcaster with one or
// many such buffers fills. [Unicast] has such a buffer too, or the queue of a producer if
// its overflow is [Block]. TakeUntil and its siblings run their notifier on a goroutine of
// its own, but values do not cross: the notifier only decides about them.
package stream
