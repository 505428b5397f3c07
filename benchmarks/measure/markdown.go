package measure

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// WriteMarkdown writes a report: a heading and a table for each metric of each group, followed by
// the plots for which plot returns a file.
//
// A field reads "26.1 µs ×1.05 (1.03–1.08)": the median, the median of the ratios to the baseline or
// the reference, and the quartiles of these ratios.
func WriteMarkdown(w io.Writer, report Report, plot func(Measured, Metric) string) error {
	p := &page{}
	p.line("## %s\n", report.Title)
	if report.About != "" {
		p.line("%s\n", report.About)
	}
	for _, group := range report.Groups {
		p.group(group)
		if group.Axis == "" {
			continue
		}
		for _, metric := range group.Metrics {
			if file := plot(group, metric); file != "" {
				p.line("![%s: %s](%s)\n", group.Title, metric.Name, file)
			}
		}
	}
	_, err := io.WriteString(w, p.String())
	return err
}

type page struct{ strings.Builder }

func (p *page) line(format string, values ...any) {
	fmt.Fprintf(p, format+"\n", values...)
}

func (p *page) row(fields []string) { p.line("| %s |", strings.Join(fields, " | ")) }

// column is a work and a metric.
type column struct {
	title  string
	work   int
	metric Metric
}

func (p *page) group(m Measured) {
	p.line("### %s\n", m.Title)
	if m.About != "" {
		p.line("%s\n", m.About)
	}
	if len(m.Works) == 1 {
		columns := make([]column, len(m.Metrics))
		for i, metric := range m.Metrics {
			columns[i] = column{metric.Name, 0, metric}
		}
		p.table(m, "", columns)
		return
	}
	for _, metric := range m.Metrics {
		columns := make([]column, len(m.Works))
		for i, work := range m.Works {
			columns[i] = column{work.Name, i, metric}
		}
		p.table(m, metric.Name, columns)
	}
}

func (p *page) table(m Measured, corner string, columns []column) {
	head, rule := []string{corner}, []string{"---"}
	for _, c := range columns {
		head, rule = append(head, c.title), append(rule, "---:")
	}
	p.row(head)
	p.row(rule)
	var notes footnotes
	for _, name := range m.rows() {
		fields := []string{name}
		for _, c := range columns {
			fields = append(fields, m.field(name, c, &notes))
		}
		p.row(fields)
		if fields, ok := m.goalRow(name, columns); ok {
			p.row(fields)
		}
	}
	p.line("")
	for i, note := range notes {
		p.line("%s %s\n", mark(i), note)
	}
}

// field returns the text of a contender's figure.
func (m Measured) field(name string, c column, notes *footnotes) string {
	note := ""
	for _, contender := range m.Works[c.work].Contenders {
		if contender.Name == name {
			note = contender.Absent + contender.Note
		}
	}
	cell, ok := m.Cell(name, c.work, c.metric.Name)
	if !ok {
		return "–" + notes.mark(note)
	}
	text := c.metric.Unit.Format(cell.Figure.Median)
	if cell.Related && !m.isReference(name, c.work) {
		text += fmt.Sprintf(" ×%s (%s–%s)", ratio(cell.Ratio.Median), ratio(cell.Ratio.Low), ratio(cell.Ratio.High))
	}
	return text + notes.mark(note)
}

// ratio formats a ratio, with more digits for a small one.
func ratio(r float64) string {
	if r < 0.1 {
		return strconv.FormatFloat(r, 'g', 2, 64)
	}
	return digits(r)
}

// goalRow returns the goals of a contender, and whether they are met, as a row below its figures.
func (m Measured) goalRow(name string, columns []column) (fields []string, any bool) {
	fields = []string{"*goal*"}
	for _, c := range columns {
		var texts []string
		for _, goal := range m.goals(name, m.Works[c.work].Name, c.metric.Name) {
			texts = append(texts, m.goalText(goal, c.metric))
		}
		any = any || len(texts) > 0
		fields = append(fields, strings.Join(texts, "; "))
	}
	return fields, any
}

func (m Measured) goalText(goal Goal, metric Metric) string {
	sign, bound := "≤", metric.Unit.Format(goal.Bound)
	if metric.Higher {
		sign = "≥"
	}
	if goal.Ratio {
		bound = "×" + strconv.FormatFloat(goal.Bound, 'g', 3, 64)
	}
	verdict := "not measured"
	if met, ok := m.Met(goal); met {
		verdict = "met"
	} else if ok {
		verdict = "**missed**"
	}
	return fmt.Sprintf("%s %s %s", sign, bound, verdict)
}

// footnotes are the distinct notes of a table.
type footnotes []string

func (f *footnotes) mark(note string) string {
	if note == "" {
		return ""
	}
	i := slices.Index(*f, note)
	if i < 0 {
		i = len(*f)
		*f = append(*f, note)
	}
	return mark(i)
}

// mark returns the sign of a footnote: ¹ to ⁹, then the number in brackets.
func mark(i int) string {
	if signs := []rune("¹²³⁴⁵⁶⁷⁸⁹"); i < len(signs) {
		return string(signs[i])
	}
	return fmt.Sprintf("[%d]", i+1)
}
