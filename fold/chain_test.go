package fold_test

import (
	"context"
	"io"
	"slices"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

// The steps of the chains append the digits 1, 2, 3 and so on to a slice. The step with the
// number failing fails.
func TestChainRunsItsStepsInOrderUntilOneFails(t *testing.T) {
	type digits = []int
	type start = fold.Attempt[digits]

	for failing := range 11 {
		ran := 0
		step := func(digit int) func(digits) start {
			return func(before digits) start {
				ran++
				if digit == failing {
					return fold.Fail[digits](io.EOF)
				}
				return fold.Succeed(append(slices.Clone(before), digit))
			}
		}
		a := fold.Succeed(digits{})
		if failing == 0 {
			a = fold.Fail[digits](io.EOF)
		}
		s1, s2, s3, s4, s5, s6, s7, s8, s9 := step(1), step(2), step(3), step(4), step(5), step(6), step(7), step(8), step(9)

		for i, chain := range []func() start{
			func() start { return fold.Chain2(a, s1, s2) },
			func() start { return fold.Chain3(a, s1, s2, s3) },
			func() start { return fold.Chain4(a, s1, s2, s3, s4) },
			func() start { return fold.Chain5(a, s1, s2, s3, s4, s5) },
			func() start { return fold.Chain6(a, s1, s2, s3, s4, s5, s6) },
			func() start { return fold.Chain7(a, s1, s2, s3, s4, s5, s6, s7) },
			func() start { return fold.Chain8(a, s1, s2, s3, s4, s5, s6, s7, s8) },
			func() start { return fold.Chain9(a, s1, s2, s3, s4, s5, s6, s7, s8, s9) },
		} {
			steps := i + 2
			ran = 0
			got, err := chain().Get()

			if failing <= steps {
				if err != io.EOF || ran != failing {
					t.Errorf("Chain%d with step %d failing ran %d steps and returned %v, %v", steps, failing, ran, got, err)
				}
				continue
			}
			if want := (digits{1, 2, 3, 4, 5, 6, 7, 8, 9})[:steps]; err != nil || !slices.Equal(got, want) {
				t.Errorf("Chain%d returned %v, %v, want %v", steps, got, err, want)
			}
		}
	}
}

// A client that connects, sends and waits, a typical use of chains.
type (
	process struct{ sent []string }
	message string
)

func connect(context.Context, string) fold.Attempt[*process] { return fold.Succeed(&process{}) }

func send(_ context.Context, text string) func(*process) fold.Attempt[*process] {
	return func(p *process) fold.Attempt[*process] {
		p.sent = append(p.sent, text)
		return fold.Succeed(p)
	}
}

func wait(context.Context) func(*process) fold.Attempt[message] {
	return func(p *process) fold.Attempt[message] {
		return fold.Succeed(message("answer to " + p.sent[0]))
	}
}

func TestChainInfersItsTypes(t *testing.T) {
	ctx := t.Context()
	var answer fold.Attempt[message] = fold.Chain2(
		connect(ctx, "counter"),
		send(ctx, "hello"),
		wait(ctx),
	)
	if got := answer.GetOr(""); got != "answer to hello" {
		t.Errorf("connect, send and wait in a chain: got %q, want \"answer to hello\"", got)
	}
}
