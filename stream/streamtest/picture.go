package streamtest

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// row is one diagram of several that are drawn under each other.
type row struct {
	cells  map[int][]rune // what happens in a frame
	length int            // in frames
	idle   rune           // what an idle frame is drawn as
}

func newRow() *row { return &row{cells: make(map[int][]rune), idle: idle} }

// put draws a sign in a frame.
func (r *row) put(sign rune, frame int) {
	r.cells[frame] = append(r.cells[frame], sign)
	r.length = max(r.length, frame+1)
}

// cell is a frame as it is drawn.
func (r *row) cell(frame int) string {
	signs := r.cells[frame]
	switch {
	case frame >= r.length:
		return ""
	case len(signs) == 0:
		return string(r.idle)
	case len(signs) == 1:
		return string(signs)
	}
	return string(opening) + string(signs) + string(closing)
}

// longIdle is how many frames are drawn as a wait when nothing happens in them.
const longIdle = 16

// draw draws rows so that each frame is in the same columns of all.
func draw(frame time.Duration, rows ...*row) []string {
	length := 0
	for _, r := range rows {
		length = max(length, r.length)
	}
	lines := make([]strings.Builder, len(rows))
	for at := 0; at < length; {
		idle := idleFrom(rows, at)
		cells := make([]string, len(rows))
		if idle >= longIdle {
			wait := (time.Duration(idle) * frame).String()
			if at > 0 {
				wait = " " + wait
			}
			for i, r := range rows {
				if at < r.length && r.idle != ' ' {
					cells[i] = wait + " "
				}
			}
		} else {
			idle = 1
			for i, r := range rows {
				cells[i] = r.cell(at)
			}
		}
		width := 0
		for _, cell := range cells {
			width = max(width, utf8.RuneCountInString(cell))
		}
		for i, cell := range cells {
			lines[i].WriteString(cell + strings.Repeat(" ", width-utf8.RuneCountInString(cell)))
		}
		at += idle
	}
	drawn := make([]string, len(rows))
	for i := range lines {
		drawn[i] = strings.TrimRight(lines[i].String(), " ")
	}
	return drawn
}

// idleFrom counts the frames from one on in which nothing happens in any row, and
// no row ends.
func idleFrom(rows []*row, from int) int {
	end := 0
	for _, r := range rows {
		end = max(end, r.length)
	}
	for _, r := range rows {
		if r.length > from {
			end = min(end, r.length)
		}
		for frame := range r.cells {
			if frame >= from {
				end = min(end, frame)
			}
		}
	}
	return end - from
}

// compared draws two diagrams under each other and marks the frames given.
func compared(frame time.Duration, expected, actual *row, differing []int) string {
	marks := newRow()
	marks.idle = ' '
	for _, at := range differing {
		marks.put('^', at)
	}
	lines := draw(frame, expected, actual, marks)
	return fmt.Sprintf("expected  %s\n  actual  %s\n          %s", lines[0], lines[1], lines[2])
}

// differingFrames are the frames in which two rows are not the same.
func differingFrames(a, b *row) []int {
	var differing []int
	for frame := range max(a.length, b.length) {
		if !slices.Equal(a.cells[frame], b.cells[frame]) {
			differing = append(differing, frame)
		}
	}
	return differing
}

// indented moves all lines of a text to the right.
func indented(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ")
}
