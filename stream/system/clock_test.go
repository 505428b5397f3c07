package system_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
	"github.com/rxipc/rxipc/stream/system"
)

// must fails the test if what it needs could not be done.
func must(t *testing.T, do string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: got %v, want no error", do, err)
	}
}

// wall is a clock that can be set.
type wall struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (w *wall) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.ahead)
}

// set makes the clock differ from the system's by so much.
func (w *wall) set(ahead time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ahead = ahead
}

const clockLayout = "15:04:05"

// watchClock collects what a schedule emits, on a clock that begins at 00:00:00.
func watchClock(t *testing.T, schedule system.Schedule, w *wall) (expect func(wait time.Duration, want ...string)) {
	var mu sync.Mutex
	var got []string
	source := system.ClockBy(schedule, w.now)
	go source(t.Context(), func(due time.Time) bool {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, due.Format(clockLayout)+" at "+w.now().UTC().Format(clockLayout))
		return true
	})
	synctest.Wait()
	return func(wait time.Duration, want ...string) {
		t.Helper()
		time.Sleep(wait)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if !slices.Equal(got, want) {
			t.Fatalf("emitted %q, want %q", got, want)
		}
		got = nil
	}
}

func TestClockEveryMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(30*time.Second + 100*time.Millisecond)
		expect := watchClock(t, system.Every(time.Minute), new(wall))
		expect(29 * time.Second)
		expect(2*time.Second, "00:01:00 at 00:01:00")
		expect(time.Minute, "00:02:00 at 00:02:00")
	})
}

func TestClockThatIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w wall
		expect := watchClock(t, system.Every(time.Minute), &w)
		expect(90*time.Second, "00:01:00 at 00:01:00")
		w.set(time.Hour) // 01:01:30: what was jumped over comes once
		expect(2*time.Second, "00:02:00 at 01:01:31")
		expect(time.Minute, "01:02:00 at 01:02:00")
		w.set(0) // 00:02:32
		expect(time.Minute, "00:03:00 at 00:03:00")
		expect(29*time.Second, "00:04:00 at 00:04:00")
		w.set(-10 * time.Second) // 00:03:51: no other time, only a better one
		expect(65 * time.Second)
		expect(5*time.Second, "00:05:00 at 00:05:00")
	})
}

func TestClockSkipsWhatPassesInYield(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := operators.Take[time.Time](3)(system.Clock(system.Every(time.Minute)))
		var got []string
		err := source.ForEach(t.Context(), func(due time.Time) {
			got = append(got, due.UTC().Format(clockLayout))
			time.Sleep(150 * time.Second)
		})
		if want := []string{"00:01:00", "00:02:00", "00:04:00"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("a yield of two minutes and a half: got %q, %v; want %q", got, err, want)
		}
	})
}

func TestDailyWhenTheClocksAreChanged(t *testing.T) {
	for _, c := range []struct {
		place, after string
		hour, minute int
		want         []string // in UTC
	}{
		{"Europe/Berlin", "2026-03-27T12:00:00Z", 2, 30, []string{"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}},
		{"Europe/Berlin", "2026-10-23T12:00:00Z", 2, 30, []string{"2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
		{"America/New_York", "2026-03-07T12:00:00Z", 2, 0, []string{"2026-03-08T07:00:00Z", "2026-03-09T06:00:00Z"}},
		{"America/New_York", "2026-10-31T12:00:00Z", 1, 30, []string{"2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"}},
		{"Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2, 15, []string{"2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"}},
		{"UTC", "2026-02-28T23:59:00Z", 23, 59, []string{"2026-03-01T23:59:00Z"}},
	} {
		place, err := time.LoadLocation(c.place)
		must(t, "load the location "+c.place, err)
		after, err := time.Parse(time.RFC3339, c.after)
		must(t, "parse the time "+c.after, err)
		var got []string
		for range c.want {
			after = system.Daily(c.hour, c.minute, place)(after)
			got = append(got, after.UTC().Format(time.RFC3339))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("daily at %02d:%02d in %s: %q, want %q", c.hour, c.minute, c.place, got, c.want)
		}
	}
}

// TestDailyIsOnceADay looks at each quarter of an hour of some years.
func TestDailyIsOnceADay(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu"} {
		place, err := time.LoadLocation(name)
		must(t, "load the location "+name, err)
		for quarter := range 24 * 4 {
			daily := system.Daily(quarter/4, quarter%4*15, place)
			at := time.Date(2016, 1, 1, 0, 0, 0, 0, place)
			for range 4 * 365 {
				next := daily(at)
				if gap := next.Sub(at); at.Year() > 2016 && (gap < 22*time.Hour || gap > 26*time.Hour) {
					t.Fatalf("daily at %02d:%02d in %s: got %v after %v, want a time 22 to 26 hours later", quarter/4, quarter%4*15, name, next, at)
				}
				at = next
			}
		}
	}
}

func TestClockKeepsTheContract(t *testing.T) {
	source := stream.Defer(func() stream.Observable[int] {
		n := 0
		count := operators.Map(func(time.Time) int { n++; return n })
		return count(system.Clock(system.Every(time.Minute)))
	})
	streamtest.Check(t, source, []int{1, 2, 3}, streamtest.Endless())
}

func TestRefusalsOfSchedules(t *testing.T) {
	for name, compose := range map[string]func(){
		"Every of nothing":  func() { system.Every(0) },
		"Daily at 24:00":    func() { system.Daily(24, 0, nil) },
		"Daily at 00:60":    func() { system.Daily(0, 60, nil) },
		"Clock of nil":      func() { system.Clock(nil) },
		"Command of nil":    func() { system.Command(nil) },
		"Append of nothing": func() { system.Append[int]("x", system.Rotation{}, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was accepted, want a panic", name)
				}
			}()
			compose()
		}()
	}
}
