package measure

import (
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strings"
)

// The size of a plot and of the frame of its lines.
const (
	plotWidth, plotHeight          = 760, 420
	frameLeft, frameTop            = 80, 48
	frameWidth, frameHeight        = 500, 310
	legendLeft, legendLine         = frameLeft + frameWidth + 16, 20
	background, ink, grid, lightly = "#ffffff", "#24292f", "#d8dee4", "#57606a"
)

// colours distinguish the lines, also for readers with red-green colour blindness.
var colours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"}

// WritePlot draws a metric of a group along the group's axis, as SVG, with a line through the
// medians of each contender. The X axis is logarithmic if the largest X is at least a hundred times
// the smallest positive X. The axis of the figures is logarithmic if the X axis is and the figures
// differ tenfold. A linear axis begins at zero. On a logarithmic axis, values that are not positive
// are a decade below the others.
func WritePlot(w io.Writer, m Measured, metric Metric) error {
	lines := m.curves(metric)
	p := &page{}
	p.line(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`, plotWidth, plotHeight)
	p.line(`<rect width="%d" height="%d" fill="%s"/>`, plotWidth, plotHeight, background)
	p.text(frameLeft, 26, "start", ink, m.Title+": "+metric.Name)
	p.text(frameLeft+frameWidth/2, plotHeight-14, "middle", lightly, m.Axis)
	xs, ys := scales(lines, metric.Unit)
	for _, x := range xs.ticks() {
		at := frameLeft + xs.place(x)*frameWidth
		p.rule(at, frameTop, at, frameTop+frameHeight)
		p.text(at, frameTop+frameHeight+20, "middle", lightly, tickText(Count, x))
	}
	for _, y := range ys.ticks() {
		at := frameTop + (1-ys.place(y))*frameHeight
		p.rule(frameLeft, at, frameLeft+frameWidth, at)
		p.text(frameLeft-8, at+4, "end", lightly, tickText(metric.Unit, y))
	}
	for i, curve := range lines {
		colour := colours[i%len(colours)]
		points := ""
		for _, pt := range curve.points {
			x, y := frameLeft+xs.place(pt.x)*frameWidth, frameTop+(1-ys.place(pt.y))*frameHeight
			points += fmt.Sprintf("%.1f,%.1f ", x, y)
			p.line(`<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`, x, y, colour)
		}
		p.line(`<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`, points, colour)
		at := float64(frameTop + legendLine*(i+1))
		p.line(`<rect x="%d" y="%.1f" width="12" height="4" fill="%s"/>`, legendLeft, at-6, colour)
		p.text(legendLeft+18, at, "start", ink, curve.name)
	}
	p.line(`</svg>`)
	_, err := io.WriteString(w, p.String())
	return err
}

func (p *page) text(x, y float64, anchor, colour, text string) {
	p.line(`<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>`, x, y, anchor, colour, html.EscapeString(text))
}

func (p *page) rule(x1, y1, x2, y2 float64) {
	p.line(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>`, x1, y1, x2, y2, grid)
}

type point struct{ x, y float64 }

type curve struct {
	name   string
	points []point
}

func (m Measured) curves(metric Metric) (lines []curve) {
	for _, name := range m.rows() {
		line := curve{name: name}
		for i, work := range m.Works {
			if cell, ok := m.Cell(name, i, metric.Name); ok {
				line.points = append(line.points, point{work.X, cell.Figure.Median})
			}
		}
		if len(line.points) > 0 {
			lines = append(lines, line)
		}
	}
	return lines
}

// scales returns the two axes for all points; Y has a unit.
func scales(lines []curve, unit Unit) (xs, ys scale) {
	var allX, allY []float64
	for _, line := range lines {
		for _, pt := range line.points {
			allX, allY = append(allX, pt.x), append(allY, pt.y)
		}
	}
	lowX, highX := extent(allX)
	lowY, highY := extent(allY)
	switch base := unit.base(highY); {
	case highX < 100*lowX:
		return fromZero(allX, 1, 1), fromZero(allY, 1.1, base)
	case highY < 10*lowY:
		return decades(allX, 1), fromZero(allY, 1.1, base)
	default:
		return decades(allX, 1), decades(allY, base)
	}
}

// extent returns the smallest positive figure and the largest figure.
func extent(figures []float64) (low, high float64) {
	low = math.Inf(1)
	for _, figure := range figures {
		if high = max(high, figure); figure > 0 {
			low = min(low, figure)
		}
	}
	return low, high
}

// scale maps figures to positions from 0 to 1.
type scale struct {
	base        float64 // ticks are round multiples of it
	low, high   float64
	step        float64
	logarithmic bool
	zero        bool // on a logarithmic scale, low stands for values that are not positive
}

// fromZero returns a linear scale with some room above the largest figure, even if all are zero.
func fromZero(figures []float64, room, base float64) scale {
	_, high := extent(figures)
	if high == 0 {
		high = base
	}
	return scale{base: base, high: high / base * room, step: step(high / base)}
}

// decades returns a logarithmic scale of whole powers of ten.
func decades(figures []float64, base float64) scale {
	low, high := extent(figures)
	from, to := math.Floor(math.Log10(low/base)), math.Ceil(math.Log10(high/base))
	s := scale{base: base, low: from, high: max(to, from+1), step: 1, logarithmic: true}
	if slices.Min(figures) <= 0 {
		s.low, s.zero = s.low-1, true
	}
	return s
}

// step returns the distance of the ticks of a linear scale: 1, 2 or 5 times a power of ten.
func step(high float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(max(high, 1e-12)/4)))
	for _, factor := range []float64{1, 2, 5} {
		if high/(factor*power) <= 6 {
			return factor * power
		}
	}
	return 10 * power
}

// tickText formats a tick without trailing zeros.
func tickText(unit Unit, tick float64) string {
	number, rest, _ := strings.Cut(unit.Format(tick), " ")
	if strings.Contains(number, ".") {
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	return strings.TrimSpace(number + " " + rest)
}

func (s scale) place(figure float64) float64 {
	figure /= s.base
	if s.logarithmic && figure <= 0 {
		return 0
	}
	if s.logarithmic {
		figure = math.Log10(figure)
	}
	return (figure - s.low) / (s.high - s.low)
}

func (s scale) ticks() (ticks []float64) {
	for i := 0; s.low+float64(i)*s.step <= s.high+s.step/1000; i++ {
		tick := s.low + float64(i)*s.step
		if s.logarithmic {
			tick = math.Pow(10, tick)
		}
		ticks = append(ticks, tick*s.base)
	}
	if s.zero {
		ticks[0] = 0
	}
	return ticks
}
