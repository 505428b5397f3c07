package operators

import (
	"testing"
	"time"
)

func TestWaitBudgetDoesNotCountSleepsOfABusyMachine(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name  string
		sleep func(n int) time.Duration
		want  int // sleeps until the budget is spent
	}{
		{"quiet", func(int) time.Duration { return ms + ms/10 }, 21},
		{"a bubble", func(int) time.Duration { return ms }, 6},
		{"busy", func(int) time.Duration { return 4 * ms }, 25},
		{"busy at times", func(n int) time.Duration { return map[bool]time.Duration{true: ms + ms/10, false: 3 * ms}[n%4 == 3] }, 40},
		{"stopped for long", func(int) time.Duration { return time.Second }, 1},
	} {
		budget := new(waitBudget)
		got := 1
		for budget.spend(c.sleep(got - 1)) {
			got++
		}
		if got != c.want {
			t.Errorf("waiting on a machine that is %s: got %d sleeps, want %d", c.name, got, c.want)
		}
	}
}
