package inspect

import (
	"fmt"
	"time"
)

// node is a stage as the diagnosis sees it.
type node struct {
	id       int
	name     string
	buffer   bool
	running  bool
	upstream []*node

	// Of a named stage.
	busy   float64       // share of the time in which what follows is at work
	stuck  time.Duration // how long what follows has been at work on one value; 0 if not long
	silent time.Duration // how long the source has emitted nothing; 0 if not long

	// Of a buffer.
	waiting, capacity int
	full              bool // a producer waits for room, or none is left
}

// part is a part of a pipeline: what is between two stages, or before the first or after the last.
type part struct {
	above, below *node // nil for the source, and for the consumer
	share        float64
	stuck        time.Duration
	full         *node // the full buffer at its upper end, if there is one
}

// diagnose says which part holds up the pipeline that ends with a stage.
//
// On one goroutine, the time in which a stage is in yield contains the time of the stages below.
// So a part takes as much of the time as the stage above it is busy, less the stage below. Above
// the first stage the rest of the time is left, for the source. A buffer separates two goroutines:
// while it has values, the source of what is below is not to blame, and while it has none, nothing
// below is.
func diagnose(root *node) (Verdict, bool) {
	if root == nil || !root.running {
		return Verdict{}, false
	}
	found := slowest(nil, root)
	return found.verdict(), true
}

// slowest returns the part with the largest share, of those on the goroutine that ends at n, and
// above if the goroutine waits for a buffer.
func slowest(below, n *node) part {
	best, last := part{below: below, share: -1}, 0.0
	var full *node
	for n != nil && !n.buffer {
		if p := (part{above: n, below: below, share: n.busy - last, stuck: n.stuck}); p.share > best.share {
			best = p
		}
		if n.stuck > 0 {
			return part{above: n, below: below, share: 1, stuck: n.stuck, full: fullAbove(n)}
		}
		below, last = n, max(last, n.busy)
		n = busiest(n.upstream)
	}
	rest := 1 - last
	switch {
	case n == nil && rest >= best.share:
		return part{below: below, share: rest, stuck: 0}
	case n == nil:
		return best
	case n.waiting == 0:
		if rest < best.share {
			return best
		}
		if source := busiest(n.upstream); source != nil {
			return slowest(n, source)
		}
		return part{below: n, share: rest}
	}
	if n.full {
		full = n
	}
	if rest >= best.share { // values wait in the buffer, and yet what is below gets none
		return part{above: n, below: below, share: rest, full: full}
	}
	best.full = full
	return best
}

// fullAbove returns the nearest buffer above a stage, if it is full.
func fullAbove(n *node) *node {
	for n = busiest(n.upstream); n != nil; n = busiest(n.upstream) {
		if n.buffer {
			if n.full {
				return n
			}
			return nil
		}
	}
	return nil
}

// busiest returns the stage that runs and is busiest; nil if there is none.
func busiest(all []*node) (best *node) {
	for _, n := range all {
		if n.running && (best == nil || n.busy > best.busy) {
			best = n
		}
	}
	return best
}

// verdict says in words what the part does.
func (p part) verdict() Verdict {
	switch {
	case p.above == nil:
		return p.aboutSource()
	case p.stuck > 0:
		return Verdict{p.above.id, Dead, fmt.Sprintf("%s is stuck: it has been at work on one value for %s.%s", p.what(), seconds(p.stuck), p.behind())}
	case p.share < 0.5 && p.full == nil:
		return Verdict{p.above.id, Calm, fmt.Sprintf("Nothing holds up the pipeline. The busiest part is %s, at work %s of the time.", lower(p.what()), percent(p.share))}
	}
	return Verdict{p.above.id, Slow, fmt.Sprintf("%s holds up the pipeline: it is at work %s of the time.%s", p.what(), percent(p.share), p.behind())}
}

// aboutSource is the verdict on a part without a stage above.
func (p part) aboutSource() Verdict {
	of := fmt.Sprintf("The source of %q", p.below.name)
	if p.below.silent > 0 {
		return Verdict{p.below.id, Calm, fmt.Sprintf("%s has emitted nothing for %s.", of, seconds(p.below.silent))}
	}
	return Verdict{p.below.id, Calm, fmt.Sprintf("%s sets the pace: the pipeline waits for it %s of the time.", of, percent(p.share))}
}

// what names the part.
func (p part) what() string {
	if p.below == nil {
		return fmt.Sprintf("What follows %q", p.above.name)
	}
	return fmt.Sprintf("The work between %q and %q", p.above.name, p.below.name)
}

// behind says what waits because of the part.
func (p part) behind() string {
	if p.full == nil {
		return ""
	}
	if p.full.waiting < p.full.capacity { // that of one of several producers is
		return fmt.Sprintf(" The buffer of %s above it has no room for one of its producers.", p.full.name)
	}
	return fmt.Sprintf(" The buffer of %s above it is full: %d of %d values.", p.full.name, p.full.waiting, p.full.capacity)
}

// lower makes the first letter of a text small.
func lower(s string) string { return string(s[0]|0x20) + s[1:] }

func percent(share float64) string { return fmt.Sprintf("%.0f%%", 100*min(1, max(0, share))) }

// seconds prints a duration for people.
func seconds(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	return d.Round(time.Minute).String()[:len(d.Round(time.Minute).String())-2] // without the seconds
}
