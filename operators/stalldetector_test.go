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

// stalledGroups are groups of a run that has stalled, until one of their facts changes.
type stalledGroups struct {
	run     *stallDetector
	current *watchedGroup    // the consumer has it
	full    *watchedGroup    // the source waits with a value for it
	holders [2]*watchedGroup // hold the slots of the MergeMap
	slots   *groupSemaphore
}

const consumerID = "7"

func (s *stalledGroups) group(reader goroutine) *watchedGroup {
	m := &watchedGroup{detector: s.run, source: &fakeValues{idle: true}}
	m.reader.Store(&reader)
	return m
}

func newStalledGroups() *stalledGroups {
	s := &stalledGroups{run: &stallDetector{slots: newSemaphore(2), consumer: consumerID, keyOf: func(*watchedGroup) any { return "a key" }}}
	s.current, s.full = s.group(goroutine{id: consumerID}), s.group(goroutine{})
	s.run.slots.tryAcquire()
	s.run.consumerTook(s.current)
	s.run.slots.tryAcquire()
	s.run.slots.tryAcquire()
	s.run.sourceBlocks(s.full)
	return s
}

// inMergeMap lets the consumer wait for a slot of a MergeMap with its current group.
func (s *stalledGroups) inMergeMap() {
	s.slots = newGroupSemaphore(newSemaphore(2))
	s.slots.acquirer, s.slots.next = consumerID, s.current
	for i := range s.holders {
		s.holders[i] = s.group(goroutine{"8", "github.com/rxipc/rxipc/stream.(*Group[...]).Go in goroutine " + consumerID})
		s.slots.acquire(context.Background(), s.holders[i])
	}
	s.run.consumerWaitsOn(s.slots)
}

func idle(m *watchedGroup, is bool) { m.source.(*fakeValues).idle = is }

// wantChecked checks the run and wants it to have failed, with the readers in stuck, or not.
func (s *stalledGroups) wantChecked(t *testing.T, name string, stuck ...*watchedGroup) {
	t.Helper()
	s.run.check()
	if failed := s.run.failed.Load() != nil; failed != (len(stuck) > 0) {
		t.Errorf("%s: the check found a stall: %v, want %v", name, failed, len(stuck) > 0)
	}
	for _, m := range stuck {
		if err := m.source.(*fakeValues).failed; !errors.Is(err, ErrGroupsStalled) {
			t.Errorf("%s: a reader that waits forever: got %v, want ErrGroupsStalled", name, err)
		}
	}
}

func TestStallDetectorWithOneReader(t *testing.T) {
	s := newStalledGroups()
	s.wantChecked(t, "a source that waits at a full group", s.current, s.full)
	s = newStalledGroups()
	s.run.sourceBlocks(nil)
	s.wantChecked(t, "a source that waits for a slot", s.current)
	for name, change := range map[string]func(s *stalledGroups){
		"a source that has found room":          func(s *stalledGroups) { s.full.ProducerWaits(false) },
		"a full group that was handed out":      func(s *stalledGroups) { s.full.fate.Store(claimed) },
		"a full group without a reader":         func(s *stalledGroups) { s.full.fate.Store(abandoned) },
		"a reader that has a value":             func(s *stalledGroups) { idle(s.current, false) },
		"a reader that never waited":            func(s *stalledGroups) { s.current.reader.Store(nil) },
		"a reader on another goroutine":         func(s *stalledGroups) { s.current.reader.Store(&goroutine{id: "8"}) },
		"a reader that its own context can end": func(s *stalledGroups) { s.current.reader.Store(&goroutine{}) },
		"a source that waits for a slot while the consumer takes a group": func(s *stalledGroups) {
			s.run.sourceBlocks(nil)
			s.run.consumerTook(s.current)
			s.run.slots.tryAcquire() // by the source, which has not run yet
		},
		"a source that finds a slot which was free": func(s *stalledGroups) {
			s.run.sourceResumes()
			s.run.consumerTook(s.current)
			s.run.sourceBlocks(nil)
		},
		"a consumer that is unknown": func(s *stalledGroups) {
			s.run.consumer = ""
			s.current.reader.Store(&goroutine{})
		},
		"a consumer that has no group yet": func(s *stalledGroups) { s.run.current = nil },
	} {
		s := newStalledGroups()
		change(s)
		s.wantChecked(t, name)
	}
}

func TestStallDetectorWithMergeMap(t *testing.T) {
	s := newStalledGroups()
	s.inMergeMap()
	s.wantChecked(t, "slots whose readers wait", s.holders[0], s.holders[1], s.full)
	for name, change := range map[string]func(s *stalledGroups){
		"a reader that has a value":               func(s *stalledGroups) { idle(s.holders[1], false) },
		"a reader that never waited":              func(s *stalledGroups) { s.holders[1].reader.Store(nil) },
		"a reader that MergeMap did not start":    func(s *stalledGroups) { s.holders[1].reader.Store(&goroutine{id: "8"}) },
		"a reader of another run":                 func(s *stalledGroups) { s.holders[1].detector = new(stallDetector) },
		"a slot that is free":                     func(s *stalledGroups) { s.slots.release(s.holders[1]) },
		"another goroutine that waits":            func(s *stalledGroups) { s.slots.acquirer = "9" },
		"another group that waits":                func(s *stalledGroups) { s.slots.next = s.full },
		"a full group that was handed out":        func(s *stalledGroups) { s.full.fate.Store(claimed) },
		"a consumer that reads, and has a value":  func(s *stalledGroups) { s.run.consumerWaitsOn(nil); idle(s.current, false) },
		"a source that has found room in a group": func(s *stalledGroups) { s.full.ProducerWaits(false) },
	} {
		s := newStalledGroups()
		s.inMergeMap()
		change(s)
		s.wantChecked(t, name)
	}
}
