package streamtest

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"
)

// ErrFailed is the failure that # stands for, unless [Bench.BindError] gave it
// another.
var ErrFailed = errors.New("streamtest: failure of a diagram")

// note is one thing that a run tells.
type note[T any] struct {
	kind  kind
	name  rune // in a diagram
	value T
	err   error
	frame int
	at    time.Duration // since the start of the bench; of what was seen
}

type kind uint8

const (
	emitted kind = iota
	completed
	failed
	exited // the goroutine of the run did
)

func (n note[T]) String() string {
	switch n.kind {
	case completed:
		return "completion"
	case failed:
		return fmt.Sprintf("failure (%v)", n.err)
	case exited:
		return "exit of the run's goroutine"
	}
	value := fmt.Sprintf("%+v", n.value)
	if text, ok := any(n.value).(string); ok {
		value = fmt.Sprintf("%q", text)
	}
	if n.name == 0 || n.name == unknown || value == string(n.name) || value == fmt.Sprintf("%q", string(n.name)) {
		return value
	}
	return fmt.Sprintf("%c = %s", n.name, value)
}

// script is a diagram whose names have been bound to values of T and to errors.
type script[T any] struct {
	*diagram
	notes []note[T]
}

// names bind names to values of T and to errors.
type names[T any] struct {
	values map[rune]T
	errors map[rune]error
	equal  func(a, b T) bool
}

func namesOf[T any](b *Bench, values []map[rune]T) names[T] {
	n := names[T]{
		values: make(map[rune]T),
		errors: b.errors,
		equal:  func(x, y T) bool { return b.equal(x, y) },
	}
	for _, more := range values {
		maps.Copy(n.values, more)
	}
	return n
}

// bind gives the names of a diagram their meaning.
func (n names[T]) bind(d *diagram) (*script[T], error) {
	s := &script[T]{diagram: d}
	for i, m := range d.marks {
		told := note[T]{name: m.sign, frame: m.frame}
		switch err, isError := n.errors[m.sign]; {
		case m.sign == subscription, m.sign == letGo:
			continue
		case m.sign == completion:
			told.kind = completed
		case isError:
			told.kind, told.err = failed, err
			if i < len(d.marks)-1 {
				return nil, d.wrong(d.marks[i+1].column, "%q after the failure %q", d.marks[i+1].sign, m.sign)
			}
			if d.length > m.frame+1 {
				return nil, d.wrong(m.column, "time goes on after the failure %q", m.sign)
			}
		default:
			var ok bool
			if told.value, ok = n.value(m.sign); !ok {
				return nil, d.wrong(m.column, "%q is bound to no %v", m.sign, reflect.TypeFor[T]())
			}
		}
		s.notes = append(s.notes, told)
	}
	return s, nil
}

// value is what a name stands for: what it was bound to, or itself.
func (n names[T]) value(name rune) (T, bool) {
	if v, bound := n.values[name]; bound {
		return v, true
	}
	return itself[T](name)
}

// itself is the string or the number that a name reads as.
func itself[T any](name rune) (v T, ok bool) {
	target := reflect.ValueOf(&v).Elem()
	digit := name - '0'
	switch {
	case target.Kind() == reflect.String:
		target.SetString(string(name))
		return v, true
	case digit < 0 || digit > 9:
	case target.CanInt():
		target.SetInt(int64(digit))
		return v, true
	case target.CanUint():
		target.SetUint(uint64(digit))
		return v, true
	case target.CanFloat():
		target.SetFloat(float64(digit))
		return v, true
	}
	return v, false
}

// unknown is how something is drawn that has no name.
const unknown = '?'

// nameOf is the name of something that was seen, one of a diagram's if possible.
func (n names[T]) nameOf(seen note[T], expected *script[T]) rune {
	switch seen.kind {
	case completed:
		return completion
	case failed:
		for _, name := range slices.Sorted(maps.Keys(n.errors)) {
			if errors.Is(seen.err, n.errors[name]) {
				return name
			}
		}
		return unknown
	case exited:
		return unknown
	}
	for _, e := range expected.notes {
		if e.kind == emitted && n.equal(e.value, seen.value) {
			return e.name
		}
	}
	for _, name := range slices.Sorted(maps.Keys(n.values)) {
		if n.equal(n.values[name], seen.value) {
			return name
		}
	}
	if text := []rune(fmt.Sprint(seen.value)); len(text) == 1 {
		_, taken := n.values[text[0]]
		v, ok := itself[T](text[0])
		if ok && !taken && !isSign(text[0]) && n.equal(v, seen.value) {
			return text[0]
		}
	}
	return unknown
}

func isSign(name rune) bool {
	switch name {
	case idle, completion, failure, subscription, letGo, opening, closing, ' ':
		return true
	}
	return false
}
