package framed

import (
	"testing"
	"time"
)

func TestSilenceIsTooLongFromItsLimitOn(t *testing.T) {
	limits := testLimits
	limits.Silence = 5 * time.Second
	c := newTestConn(t, NewTimers(limits))
	since := int64(time.Minute)
	c.silentSince.Store(milliseconds(since))
	for lasted, want := range map[time.Duration]bool{0: false, limits.Silence - time.Millisecond: false, limits.Silence: true, limits.Silence + time.Hour: true} {
		if got := c.isSilent(since + int64(lasted)); got != want {
			t.Errorf("a silence of %v is too long: %v, want %v with the limit %v", lasted, got, want, limits.Silence)
		}
	}
}
