package measure

import (
	"encoding/json"
	"io"
)

// Report is a measured suite.
type Report struct {
	Name   string
	Title  string
	About  string
	Groups []Measured
}

// Measured is a group with the results of its works, in order.
type Measured struct {
	Group
	Results []Results
}

// Results are the samples of a work, one for each round, by contender and metric.
type Results map[string]map[string][]float64

// Cell is the result of a contender for a work and a metric.
type Cell struct {
	Figure  Summary
	Ratio   Summary // to the baseline or the reference, round by round
	Related bool    // Ratio is set
}

// Cell summarizes the samples, and reports whether there are any.
func (m Measured) Cell(contender string, work int, metric string) (cell Cell, ok bool) {
	samples := m.Results[work][contender][metric]
	if len(samples) == 0 {
		return Cell{}, false
	}
	cell.Figure = Summarize(samples)
	if m.metric(metric).NoRatio {
		return cell, true
	}
	if baseline := m.relatedTo(contender, work)[metric]; len(baseline) == len(samples) {
		if each := ratios(samples, baseline); len(each) > 0 {
			cell.Ratio, cell.Related = Summarize(each), true
		}
	}
	return cell, true
}

// relatedTo returns the samples by which a contender's samples in a work are divided for ratios.
func (m Measured) relatedTo(contender string, work int) map[string][]float64 {
	if m.Reference == "" {
		return m.Results[work][m.Baseline]
	}
	for i, w := range m.Works {
		if w.Name == m.Reference {
			return m.Results[i][contender]
		}
	}
	return nil
}

// isReference reports whether the figures of a contender in a work are the reference of ratios.
func (m Measured) isReference(contender string, work int) bool {
	if m.Reference == "" {
		return contender == m.Baseline
	}
	return m.Works[work].Name == m.Reference
}

// goalSlack is the fraction by which a figure may miss a goal.
const goalSlack = 0.005

// Met reports whether the figures of its work meet a goal, and whether there are figures.
func (m Measured) Met(goal Goal) (met, ok bool) {
	for i, work := range m.Works {
		if work.Name != goal.Work {
			continue
		}
		cell, ok := m.Cell(goal.Contender, i, goal.Metric)
		if !ok || goal.Ratio && !cell.Related {
			return false, false
		}
		figure := cell.Figure.Median
		if goal.Ratio {
			figure = cell.Ratio.Median
		}
		if m.metric(goal.Metric).Higher {
			return figure >= goal.Bound*(1-goalSlack), true
		}
		return figure <= goal.Bound*(1+goalSlack), true
	}
	return false, false
}

func (m Measured) metric(name string) Metric {
	for _, metric := range m.Metrics {
		if metric.Name == name {
			return metric
		}
	}
	return Metric{}
}

// rows returns the names of the contenders, in the order of their first occurrence.
func (m Measured) rows() (names []string) {
	seen := map[string]bool{}
	for _, work := range m.Works {
		for _, c := range work.Contenders {
			if !seen[c.Name] {
				seen[c.Name] = true
				names = append(names, c.Name)
			}
		}
	}
	return names
}

// line is one figure in JSON. Figures are in seconds, per second, bytes or counts.
type line struct {
	Suite     string    `json:"suite"`
	Group     string    `json:"group"`
	Work      string    `json:"work"`
	Contender string    `json:"contender"`
	Metric    string    `json:"metric"`
	Samples   []float64 `json:"samples"`
	Figure    Summary   `json:"figure"`
	Ratio     *Summary  `json:"ratio,omitempty"`
	Goals     []verdict `json:"goals,omitempty"`
}

type verdict struct {
	Ratio bool    `json:"ratio"`
	Bound float64 `json:"bound"`
	Met   bool    `json:"met"`
}

// WriteJSON writes reports as a JSON object: the environment, and an array with an object for each
// figure, including its samples.
func WriteJSON(w io.Writer, environment Environment, reports []Report) error {
	lines := []line{}
	for _, report := range reports {
		for _, group := range report.Groups {
			lines = append(lines, group.lines(report.Name)...)
		}
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{"environment": environment, "figures": lines})
}

func (m Measured) lines(suite string) (lines []line) {
	for i, work := range m.Works {
		for _, name := range m.rows() {
			for _, metric := range m.Metrics {
				cell, ok := m.Cell(name, i, metric.Name)
				if !ok {
					continue
				}
				l := line{Suite: suite, Group: m.Title, Work: work.Name, Contender: name, Metric: metric.Name,
					Samples: m.Results[i][name][metric.Name], Figure: cell.Figure}
				if cell.Related {
					l.Ratio = &cell.Ratio
				}
				for _, goal := range m.goals(name, work.Name, metric.Name) {
					met, _ := m.Met(goal)
					l.Goals = append(l.Goals, verdict{goal.Ratio, goal.Bound, met})
				}
				lines = append(lines, l)
			}
		}
	}
	return lines
}

func (m Measured) goals(contender, work, metric string) (goals []Goal) {
	for _, goal := range m.Goals {
		if goal.Contender == contender && goal.Work == work && goal.Metric == metric {
			goals = append(goals, goal)
		}
	}
	return goals
}
