package streamtest

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/stream"
)

// Check checks that source keeps the contract of package stream and emits the
// values of want. It runs it many times, so each run must give the same values;
// see [stream.Defer] for sources that are used up.
func Check[T any](t *testing.T, source stream.Observable[T], want []T, options ...Option) {
	t.Helper()
	s := specimen[T]{config: configured(options), source: source, want: want}
	for _, r := range rulesOfObservables[T]() {
		t.Run(r.name, func(t *testing.T) { r.inBubble(t, t, s) })
	}
}

// CheckOperator checks that op keeps the contract of package stream and makes
// the values of want out of those of inputs. Beside all that Check looks at, op
// is given sources that fail, panic, exit and never end.
func CheckOperator[A, B any](t *testing.T, op stream.Operator[A, B], inputs []A, want []B, options ...Option) {
	t.Helper()
	s := operatorSpecimen[A, B]{config: configured(options), op: op, inputs: inputs, want: want}
	for _, r := range rulesOfOperators[A, B]() {
		t.Run(r.name, func(t *testing.T) { r.inBubble(t, t, s) })
	}
}

// inBubble checks s in a bubble of t's and reports what it found to report, outside
// of it: the bubble of a check that found something may never end.
func (r rule[S]) inBubble(t *testing.T, report testing.TB, s S) {
	report.Helper()
	f := new(findings)
	func() {
		defer func() {
			if deadlock := recover(); deadlock != nil {
				f.add("the bubble cannot end: %v", deadlock)
			}
		}()
		synctest.Test(t, func(*testing.T) {
			f.knowing()
			r.check(f, s)
		})
	}()
	for _, finding := range f.all() {
		report.Error(r.citing(finding))
	}
}

// A rule is one check; S is what it checks.
type rule[S any] struct {
	name  string
	spec  string // its numbers in the Reactive Streams specification
	check func(*findings, S)
}

// citing ends what a rule has found with where it is from.
func (r rule[S]) citing(finding string) string {
	return finding + "\n(Reactive Streams " + r.spec + ")"
}

// specimen is an observable under check.
type specimen[T any] struct {
	config
	source stream.Observable[T]
	want   []T
	left   func() string // says what a run has left of its own; may be nil
}

// operatorSpecimen is an operator under check.
type operatorSpecimen[A, B any] struct {
	config
	op     stream.Operator[A, B]
	inputs []A
	want   []B
}

// over is the operator's observable over the feed.
func (s operatorSpecimen[A, B]) over(f *feed[A]) specimen[B] {
	return specimen[B]{config: s.config, source: s.op(f.run), want: s.want, left: f.left}
}

// lift makes a rule of observables one of operators: it checks what the operator
// makes of the inputs, both when they come at once and when they come in time.
func lift[A, B any](r rule[specimen[B]]) rule[operatorSpecimen[A, B]] {
	return rule[operatorSpecimen[A, B]]{r.name, r.spec, func(f *findings, s operatorSpecimen[A, B]) {
		r.check(f.titled("inputs at once"), s.over(&feed[A]{inputs: s.inputs}))
		r.check(f.titled("an input a second"), s.over(&feed[A]{inputs: s.inputs, pace: pace}))
	}}
}

func rulesOfOperators[A, B any]() []rule[operatorSpecimen[A, B]] {
	var rules []rule[operatorSpecimen[A, B]]
	for _, r := range rulesOfRuns[B]() {
		rules = append(rules, lift[A](r))
	}
	return append(rules,
		rule[operatorSpecimen[A, B]]{"no reference is kept", "3.13", noReferenceIsKeptBeside[A, B]},
		rule[operatorSpecimen[A, B]]{"building starts nothing", "1.9", buildingStartsNothing[A, B]},
		rule[operatorSpecimen[A, B]]{"completion without a value", "1.5, 2.9", completionWithoutValue[A, B]},
		rule[operatorSpecimen[A, B]]{"failure of the source", "1.4, 2.10, 4.1, 4.2", failureOfTheSource[A, B]},
		rule[operatorSpecimen[A, B]]{"failure while the source cleans up", "1.8, 3.6, 3.12", failureInCleanup[A, B]},
		rule[operatorSpecimen[A, B]]{"panic of the source", "1.4, 4.1", panicOfTheSource[A, B]},
		rule[operatorSpecimen[A, B]]{"Goexit of the source", "1.4, 4.1", goexitOfTheSource[A, B]},
		rule[operatorSpecimen[A, B]]{"backpressure", "1.1, 3.8", backpressure[A, B]},
		rule[operatorSpecimen[A, B]]{"buffering is told", "of package stream", bufferingIsTold[A, B]},
		rule[operatorSpecimen[A, B]]{"bounded memory", "1.1, 3.4", boundedMemory[A, B]},
		rule[operatorSpecimen[A, B]]{"bounded recursion", "3.3", boundedRecursion[A, B]},
	)
}

func rulesOfObservables[T any]() []rule[specimen[T]] {
	return append(rulesOfRuns[T](), rule[specimen[T]]{"no reference is kept", "3.13", noReferenceIsKept[T]})
}

// rulesOfRuns are the rules that each run of an observable is checked by.
func rulesOfRuns[T any]() []rule[specimen[T]] {
	return []rule[specimen[T]]{
		{"values and end", "1.4, 1.5", valuesAndEnd[T]},
		{"independent runs", "1.10", independentRuns[T]},
		{"simultaneous runs", "1.11", simultaneousRuns[T]},
		{"nested runs", "3.2, 3.10", nestedRuns[T]},
		{"serial, on the caller's goroutine", "1.3, 2.7, 2.11", serial[T]},
		{"nothing after false", "1.8, 2.6, 3.6, 3.12", nothingAfterFalse[T]},
		{"nothing after the return", "1.6, 1.7, 2.4", nothingAfterReturn[T]},
		{"nothing is left", "3.12, 3.14", nothingIsLeft[T]},
		{"cancelled before", "1.8, 3.5, 3.7, 3.15", cancelledBefore[T]},
		{"cancelled in yield", "1.8, 3.5, 3.15", cancelledInYield[T]},
		{"cancelled while the source waits", "1.8, 3.5, 3.12", cancelledInSource[T]},
		{"cancelled while yield waits", "1.8, 3.5", cancelledInSlowYield[T]},
		{"panic of yield", "2.13", panicOfYield[T]},
		{"Goexit of yield", "2.13", goexitOfYield[T]},
	}
}

// positions are the places of a diagram where something is tried: all of a short
// one, the ends and the middle of a long one.
func positions(length int) []int {
	if length <= 8 {
		all := make([]int, length)
		for i := range all {
			all[i] = i + 1
		}
		return all
	}
	return []int{1, 2, length / 2, length - 1, length}
}

func describe(n int, what string) string { return fmt.Sprintf("%s at value %d", what, n) }
