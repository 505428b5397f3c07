package operators

import (
	"context"
	"errors"
	"testing"
)

// fakeValues are the values of a group without a run.
type fakeValues struct {
	idle   bool
	failed error
}

func (f *fakeValues) Idle() bool      { return f.idle }
func (f *fakeValues) Nudge()          {}
func (f *fakeValues) Error(err error) { f.failed = err }

// stalledGroups are groups of a run that stands still, until one of their facts changes.
type stalledGroups struct {
	run     *standstill
	current *member    // the taker has it
	full    *member    // the source waits with a value for it
	holders [2]*member // have the places of the MergeMap
	seats   *seats
}

const takerID = "7"

func (s *stalledGroups) group(reader goroutine) *member {
	m := &member{run: s.run, source: &fakeValues{idle: true}}
	m.reader.Store(&reader)
	return m
}

func newStalledGroups() *stalledGroups {
	s := &stalledGroups{run: &standstill{slots: newPlaces(2), taker: takerID, keyOf: func(*member) any { return "a key" }}}
	s.current, s.full = s.group(goroutine{id: takerID}), s.group(goroutine{})
	s.run.slots.takeNow()
	s.run.took(s.current)
	s.run.slots.takeNow()
	s.run.slots.takeNow()
	s.run.waitsAt(s.full)
	return s
}

// inPlaces lets the taker wait for a place of a MergeMap with its current group.
func (s *stalledGroups) inPlaces() {
	s.seats = newSeats(newPlaces(2))
	s.seats.taker, s.seats.next = takerID, s.current
	for i := range s.holders {
		s.holders[i] = s.group(goroutine{"8", "github.com/rxipc/rxipc/stream.(*Group[...]).Go in goroutine " + takerID})
		s.seats.take(context.Background(), s.holders[i])
	}
	s.run.waitsFor(s.seats)
}

func idle(m *member, is bool) { m.source.(*fakeValues).idle = is }

// wantChecked checks the run and wants it to have failed, with the readers in stuck, or not.
func (s *stalledGroups) wantChecked(t *testing.T, name string, stuck ...*member) {
	t.Helper()
	s.run.check()
	if failed := s.run.failed.Load() != nil; failed != (len(stuck) > 0) {
		t.Errorf("%s: the check found a standstill: %v, want %v", name, failed, len(stuck) > 0)
	}
	for _, m := range stuck {
		if err := m.source.(*fakeValues).failed; !errors.Is(err, ErrGroupsStalled) {
			t.Errorf("%s: a reader that waits for ever got %v, want ErrGroupsStalled", name, err)
		}
	}
}

func TestStandstillOfOneReader(t *testing.T) {
	s := newStalledGroups()
	s.wantChecked(t, "a source that waits at a full group", s.current, s.full)
	s = newStalledGroups()
	s.run.waitsAt(nil)
	s.wantChecked(t, "a source that waits for a slot", s.current)
	for name, change := range map[string]func(s *stalledGroups){
		"a source that has found room":          func(s *stalledGroups) { s.full.ProducerWaits(false) },
		"a full group that was handed out":      func(s *stalledGroups) { s.full.fate.Store(claimed) },
		"a full group that nobody wants":        func(s *stalledGroups) { s.full.fate.Store(abandoned) },
		"a reader that has a value":             func(s *stalledGroups) { idle(s.current, false) },
		"a reader that never waited":            func(s *stalledGroups) { s.current.reader.Store(nil) },
		"a reader on another goroutine":         func(s *stalledGroups) { s.current.reader.Store(&goroutine{id: "8"}) },
		"a reader that its own context can end": func(s *stalledGroups) { s.current.reader.Store(&goroutine{}) },
		"a source that waits for a slot while the taker takes a group": func(s *stalledGroups) {
			s.run.waitsAt(nil)
			s.run.took(s.current)
			s.run.slots.takeNow() // by the source, which has not run yet
		},
		"a source that finds a slot which was free": func(s *stalledGroups) {
			s.run.goesOn()
			s.run.took(s.current)
			s.run.waitsAt(nil)
		},
		"a taker that is unknown": func(s *stalledGroups) {
			s.run.taker = ""
			s.current.reader.Store(&goroutine{})
		},
		"a taker that has no group yet": func(s *stalledGroups) { s.run.current = nil },
	} {
		s := newStalledGroups()
		change(s)
		s.wantChecked(t, name)
	}
}

func TestStandstillOfPlaces(t *testing.T) {
	s := newStalledGroups()
	s.inPlaces()
	s.wantChecked(t, "places whose readers wait", s.holders[0], s.holders[1], s.full)
	for name, change := range map[string]func(s *stalledGroups){
		"a reader that has a value":               func(s *stalledGroups) { idle(s.holders[1], false) },
		"a reader that never waited":              func(s *stalledGroups) { s.holders[1].reader.Store(nil) },
		"a reader that MergeMap did not start":    func(s *stalledGroups) { s.holders[1].reader.Store(&goroutine{id: "8"}) },
		"a reader of another run":                 func(s *stalledGroups) { s.holders[1].run = new(standstill) },
		"a place that is free":                    func(s *stalledGroups) { s.seats.free(s.holders[1]) },
		"another goroutine that waits":            func(s *stalledGroups) { s.seats.taker = "9" },
		"another group that waits":                func(s *stalledGroups) { s.seats.next = s.full },
		"a full group that was handed out":        func(s *stalledGroups) { s.full.fate.Store(claimed) },
		"a taker that reads, and has a value":     func(s *stalledGroups) { s.run.waitsFor(nil); idle(s.current, false) },
		"a source that has found room in a group": func(s *stalledGroups) { s.full.ProducerWaits(false) },
	} {
		s := newStalledGroups()
		s.inPlaces()
		change(s)
		s.wantChecked(t, name)
	}
}
