package streamtest

import (
	"github.com/rxipc/rxipc/stream"
)

// Draw runs the source to its end, and returns the diagram of what it did, in frames of the bench
// from the beginning of the run on. [Cold] and [Expect] take the diagram, and the values of its
// names. So what was seen once becomes what a test expects. A letter or a digit that stands for
// itself does so; other values have the names a, b, c and so on, equal ones the same. A failure is
// drawn as #, and returned. From about five hundred values on a further one is drawn as ?.
//
// A source that does not end is to be limited, by operators.Take for instance.
func Draw[T any](b *Bench, source stream.Observable[T]) (diagram string, values map[rune]T, failure error) {
	b.Helper()
	n := namesOf[T](b, nil)
	begin := b.Now()
	var seen []note[T]
	tell(b.ctx, b, source, func(told note[T]) bool {
		seen = append(seen, told)
		return true
	})
	taken := map[rune]bool{}
	for i := range seen {
		if seen[i].name = n.nameOf(seen[i], &script[T]{}); seen[i].kind != emitted {
			continue
		}
		taken[seen[i].name] = true
	}
	r := newRow()
	next := freshNames(taken)
	for _, told := range seen {
		switch {
		case told.kind == failed:
			told.name, failure = '#', told.err
		case told.kind == emitted && told.name == unknown:
			if told.name = n.nameOf(told, &script[T]{}); told.name == unknown { // no equal one before
				if told.name = next(); told.name != unknown {
					n.values[told.name] = told.value
				}
			}
		}
		r.put(told.name, told.frame-begin)
	}
	return draw(b.frame(), r)[0], n.values, failure
}

// freshNames returns a function that returns names which are not taken, and unknown when there is
// none left.
func freshNames(taken map[rune]bool) func() rune {
	all := []rune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	for name := 'À'; name <= 'ɏ'; name++ { // the letters of Latin-1 and Latin Extended
		all = append(all, name)
	}
	return func() rune {
		for len(all) > 0 {
			name := all[0]
			all = all[1:]
			if !taken[name] && name != '×' && name != '÷' {
				return name
			}
		}
		return unknown
	}
}
