package stages

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Sample is a value that a stage emitted.
type Sample struct {
	Number uint64    // counts the samples of the stage
	At     time.Time // when it was emitted
	Text   string    // as fmt prints it, up to 80 characters; empty unless contents were asked for
}

// samples are the last samples of a place.
type samples struct {
	mu       sync.Mutex
	until    time.Time // values are sampled until then
	contents time.Time // and have their contents until then
	number   uint64
	kept     []Sample // the oldest first
}

// A place keeps so many samples. They are at least sampleGap apart, so that sampling costs little.
const (
	maxSamples = 128
	sampleGap  = 10 * time.Millisecond
)

// Sample makes the stage with this ID keep some of the values that it emits, at most a hundred a
// second, until the given duration from now is over. Without contents, only their times are kept.
// Values are sampled while they are timed, see [Registry.Time].
func (r *Registry) Sample(id int, d time.Duration, contents bool) {
	if p := r.placeOf(id); p != nil {
		p.samples.mu.Lock()
		defer p.samples.mu.Unlock()
		p.samples.until = time.Now().Add(d)
		if contents {
			p.samples.contents = p.samples.until
		}
	}
}

// Samples returns the samples of the stage with this ID whose number is greater than after, the
// oldest first, and at most the last 128. The samples of a stage that nobody samples any more are
// forgotten.
func (r *Registry) Samples(id int, after uint64) (fresh []Sample) {
	p := r.placeOf(id)
	if p == nil {
		return nil
	}
	p.samples.mu.Lock()
	defer p.samples.mu.Unlock()
	if time.Now().After(p.samples.until) {
		p.samples.kept = nil
	}
	for _, s := range p.samples.kept {
		if s.Number > after {
			fresh = append(fresh, s)
		}
	}
	return fresh
}

// placeOf returns the place with an ID; nil if there is none.
func (r *Registry) placeOf(id int) *place {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id < 1 || id > len(r.places) {
		return nil
	}
	return r.places[id-1]
}

// sampling reports whether a value of now is to be sampled.
func (p *place) sampling(now time.Time) bool {
	p.samples.mu.Lock()
	defer p.samples.mu.Unlock()
	s := &p.samples
	return now.Before(s.until) && (len(s.kept) == 0 || now.Sub(s.kept[len(s.kept)-1].At) >= sampleGap)
}

// print prints a value, or its beginning.
func print(v any) string {
	var text string
	switch v := v.(type) {
	case string:
		text = v[:min(len(v), 4*maxText)]
	case []byte:
		text = string(v[:min(len(v), 4*maxText)])
	default:
		text = fmt.Sprint(v)
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	if runes := []rune(text); len(runes) > maxText {
		return string(runes[:maxText]) + "…"
	}
	return text
}

// maxText is how many characters of a value a Sample has at most.
const maxText = 80

// sample keeps a value. text is called without a lock, since it is the user's code that prints.
func (p *place) sample(now time.Time, text func(contents bool) string) {
	s := &p.samples
	s.mu.Lock()
	contents := now.Before(s.contents)
	s.mu.Unlock()
	printed := text(contents)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number++
	s.kept = append(s.kept, Sample{Number: s.number, At: now, Text: printed})
	if len(s.kept) > maxSamples {
		s.kept = append([]Sample(nil), s.kept[maxSamples/4:]...)
	}
}
