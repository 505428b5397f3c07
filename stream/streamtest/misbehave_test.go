package streamtest

import (
	"context"
	"testing"

	"github.com/rxipc/rxipc/operators"
)

// culpritRules are the rules that a misbehaving source breaks: all but the first,
// which is about what it emits.
func culpritRules() []rule[specimen[int]] { return rulesOfObservables[int]()[1:] }

func TestMisbehavingSourcesAreCaughtByTheirRule(t *testing.T) {
	for _, r := range culpritRules() {
		t.Run(r.name, func(t *testing.T) {
			if found(t, culpritRules(), r.name, of(Misbehaving(Rule(r.name), 1, 2, 3))) == "" {
				t.Error("it was not caught")
			}
		})
	}
}

func TestMisbehavingSourcesKeepWhatTheyEmit(t *testing.T) {
	for _, r := range culpritRules() {
		if r.name == string(NothingAfterReturn) || r.name == string(CancelledInSource) {
			continue // they take their time
		}
		source := Misbehaving(Rule(r.name), 1, 2, 3)
		if r.name == string(NothingIsLeft) {
			continue // it would be left for a minute
		}
		values, err := source.Collect(context.Background())
		if len(values) != 3 || err != nil {
			t.Errorf("collect a source that breaks the rule %q: got %v, %v, want its three values", r.name, values, err)
		}
	}
}

// TestOperatorsHoldTogether: an operator in between keeps values away from who
// wants no more.
func TestOperatorsHoldTogether(t *testing.T) {
	bad := Misbehaving(CancelledInSlowYield, "a", "b")
	Run(t, func(b *Bench) {
		b.Expect(operators.Take[string](2)(bad), "(ab|)")
	})
}

func TestMisbehavingWithoutARule(t *testing.T) {
	defer func() {
		if v := recover(); v != `streamtest: there is no misbehaving source for the rule "honesty"` {
			t.Errorf("panicked with %v", v)
		}
	}()
	Misbehaving[int]("honesty")
}
