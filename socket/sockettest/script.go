package sockettest

import (
	"maps"
	"strings"
	"unicode"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// Signs that take the place of others in a peer's diagram, so that it is one of a cold
// source: of ^, and of the end if there is none.
const (
	beginning = 'ˆ' // looks alike where a mistake is shown
	staying   = '⇥'
)

// What they stand for.
var (
	begins = Event{act: connects}
	stays  = Event{act: connects, bytes: "the end of the diagram"}
)

// plays makes the peer do what a diagram shows.
func (p *Peer) plays(diagram string, values []map[rune]Event) {
	b := p.bench
	b.Helper()
	events := names(diagram, values)
	maps.DeleteFunc(events, func(_ rune, e Event) bool { return e.act == connects || e.act == hangsUp })
	events[beginning], events[staying] = begins, stays
	text := strings.Replace(diagram, "^", string(beginning), 1)
	source := streamtest.Cold(b.Bench, text, events) // a mistake is shown as it was made
	if !strings.ContainsAny(text, "|#") {
		source = streamtest.Cold(b.Bench, text+" "+string(staying), events)
	}
	comesLater := strings.ContainsRune(text, beginning)
	if p.serves && !comesLater {
		p.begin()
	}
	b.At(0, func() {
		if !p.serves && !comesLater {
			p.begin()
		}
		p.play(source)
	})
}

// play does what the script shows, to its end.
func (p *Peer) play(script stream.Observable[Event]) {
	ctx, stayed := p.bench.Context(), false
	err := script(ctx, func(e Event) bool {
		switch {
		case e == begins:
			p.begin()
		case e == stays:
			stayed = true
		default:
			p.do(ctx, e)
		}
		return !stayed
	})
	switch {
	case err != nil:
		p.die()
	case !stayed:
		p.leave()
	}
}

// names are what the names of a diagram stand for: signs for control messages, others
// for themselves, if values say nothing else. Letters and digits are there in any
// case, for what comes unexpectedly.
func names(diagram string, values []map[rune]Event) map[rune]Event {
	all := make(map[rune]Event)
	for _, name := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" + diagram {
		if unicode.IsPrint(name) {
			all[name] = Text(string(name))
		}
	}
	maps.Copy(all, signs)
	for _, more := range values {
		maps.Copy(all, more)
	}
	return all
}
