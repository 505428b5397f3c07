package streamtest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// defaultFrame is how long a column lasts.
const defaultFrame = time.Millisecond

// Signs of a diagram that are not names.
const (
	idle         = '-'
	completion   = '|'
	failure      = '#'
	subscription = '^'
	letGo        = '!'
	opening      = '('
	closing      = ')'
)

// diagram is a marble diagram that has been read: what happens, and when.
type diagram struct {
	text   string
	marks  []mark
	length int // in frames
}

// mark is something that happens in a diagram.
type mark struct {
	sign   rune // a sign, or a name
	frame  int
	column int // where it stands in the text
}

// diagramError is a mistake in a diagram.
type diagramError struct {
	text   string
	column int
	what   string
}

func (e *diagramError) Error() string {
	return fmt.Sprintf("diagram, column %d: %s\n    %s\n    %s^",
		e.column+1, e.what, e.text, strings.Repeat(" ", e.column))
}

func (d *diagram) wrong(column int, format string, arguments ...any) error {
	return &diagramError{text: d.text, column: column, what: fmt.Sprintf(format, arguments...)}
}

// wait is a word of a diagram that lasts for the time it says.
var wait = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`)

// read reads a diagram with columns of the given length.
func read(text string, frame time.Duration) (*diagram, error) {
	d := &diagram{text: text}
	signs := []rune(text)
	group := -1 // the column of its opening
	for column := 0; column < len(signs); column++ {
		word := wordAt(signs, column)
		switch sign := signs[column]; {
		case group < 0 && wait.MatchString(word):
			length, err := time.ParseDuration(word)
			if err != nil || length%frame != 0 {
				return nil, d.wrong(column, "%s is no multiple of a frame, %v", word, frame)
			}
			d.length += int(length / frame)
			column += len([]rune(word)) - 1
		case sign == ' ':
		case sign == idle && group < 0:
			d.length++
		case sign == opening && group < 0:
			group = column
		case sign == idle, sign == opening:
			return nil, d.wrong(column, "%q in a group, which is one frame", sign)
		case sign == closing && group < 0:
			return nil, d.wrong(column, "no group to close")
		case sign == closing && len(d.marks) > 0 && d.marks[len(d.marks)-1].column > group:
			group = -1
			d.length++
		case sign == closing:
			return nil, d.wrong(column, "empty group")
		case !unicode.IsPrint(sign):
			return nil, d.wrong(column, "%q is not a name", sign)
		default:
			d.marks = append(d.marks, mark{sign, d.length, column})
			if group < 0 {
				d.length++
			}
		}
	}
	if group >= 0 {
		return nil, d.wrong(group, "this group is not closed")
	}
	return d, d.checkOrder()
}

// wordAt is the word that begins at a column; empty if none does.
func wordAt(signs []rune, column int) string {
	if column > 0 && signs[column-1] != ' ' {
		return ""
	}
	rest := signs[column:]
	if end := slices.Index(rest, ' '); end >= 0 {
		rest = rest[:end]
	}
	return string(rest)
}

// checkOrder looks for what comes before the beginning or after the end, and for
// second beginnings.
func (d *diagram) checkOrder() error {
	ended := false
	begun := false
	for _, m := range d.marks {
		if ended {
			return d.wrong(m.column, "%q after the end", m.sign)
		}
		if m.sign == subscription && begun {
			return d.wrong(m.column, "a second %q", m.sign)
		}
		ended = m.sign == completion || m.sign == failure || m.sign == letGo
		begun = begun || m.sign == subscription
	}
	if n := len(d.marks); ended && d.length > d.marks[n-1].frame+1 {
		return d.wrong(d.marks[n-1].column, "time goes on after the end")
	}
	return nil
}

// forbid looks for signs that this kind of diagram does not have.
func (d *diagram) forbid(signs, kind string) error {
	for _, m := range d.marks {
		if strings.ContainsRune(signs, m.sign) {
			return d.wrong(m.column, "%q has no meaning in %s", m.sign, kind)
		}
	}
	return nil
}

// frameOf is the frame of a sign that stands at most once; -1 if it does not.
func (d *diagram) frameOf(sign rune) int {
	for _, m := range d.marks {
		if m.sign == sign {
			return m.frame
		}
	}
	return -1
}
