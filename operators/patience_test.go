package operators

import (
	"testing"
	"time"
)

func TestPatienceDoesNotCountNapsOfABusyMachine(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name string
		nap  func(n int) time.Duration
		want int // naps until the patience is over
	}{
		{"quiet", func(int) time.Duration { return ms }, 6},
		{"busy", func(int) time.Duration { return 4 * ms }, 25},
		{"busy at times", func(n int) time.Duration { return map[bool]time.Duration{true: ms, false: 3 * ms}[n%4 == 3] }, 24},
		{"stopped for long", func(int) time.Duration { return time.Second }, 1},
	} {
		p := new(patience)
		got := 1
		for p.lasts(c.nap(got - 1)) {
			got++
		}
		if got != c.want {
			t.Errorf("patience on a machine that is %s lasts %d naps, want %d", c.name, got, c.want)
		}
	}
}
