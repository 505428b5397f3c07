package sockettest

import (
	"maps"
	"strings"
	"unicode"

	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
)

// These signs replace characters that a cold source does not have: ^, and the end of a
// diagram without | and #.
const (
	beginning = 'ˆ' // looks like ^ in the report of a mistake
	staying   = '⇥'
)

// The events of these signs.
var (
	begins = Event{act: connects}
	stays  = Event{act: connects, bytes: "the end of the diagram"}
)

// plays makes the peer perform the events of a diagram.
func (p *Peer) plays(diagram string, values []map[rune]Event) {
	b := p.bench
	b.Helper()
	events := names(diagram, values)
	maps.DeleteFunc(events, func(_ rune, e Event) bool { return e.act == connects || e.act == hangsUp })
	events[beginning], events[staying] = begins, stays
	text := strings.Replace(diagram, "^", string(beginning), 1)
	source := streamtest.Cold(b.Bench, text, events) // reports a mistake with the diagram as written
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

// play performs the events of the script until it ends.
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

// names maps the characters of a diagram to their events: signs to control messages,
// others to a text of themselves, unless values bind them. It includes all letters and
// digits, so that unexpected messages are shown by them.
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
