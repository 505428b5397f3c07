package measure

import (
	"fmt"
	"math"
	"strconv"
)

// Unit is the unit of a figure, which determines its format.
type Unit int

const (
	Seconds   Unit = iota // written in ns, µs, ms or s
	PerSecond             // written in thousands or millions
	Bytes                 // written in B, KiB or MiB
	Count                 // written as it is
)

// base returns the number of which round figures are multiples, in a plot up to the given figure.
func (u Unit) base(figure float64) float64 {
	switch {
	case u != Bytes || figure < 1<<10:
		return 1
	case figure < 1<<20:
		return 1 << 10
	}
	return 1 << 20
}

// Format formats a figure with three digits.
func (u Unit) Format(figure float64) string {
	size := math.Abs(figure)
	switch u {
	case Seconds:
		switch {
		case size < 1e-6:
			return digits(figure*1e9) + " ns"
		case size < 1e-3:
			return digits(figure*1e6) + " µs"
		case size < 1:
			return digits(figure*1e3) + " ms"
		}
		return digits(figure) + " s"
	case PerSecond:
		switch {
		case size >= 1e6:
			return digits(figure/1e6) + " M/s"
		case size >= 1e3:
			return digits(figure/1e3) + " k/s"
		}
		return digits(figure) + " /s"
	case Bytes:
		switch {
		case size >= 1<<20:
			return digits(figure/(1<<20)) + " MiB"
		case size >= 1<<10:
			return digits(figure/(1<<10)) + " KiB"
		}
		return digits(figure) + " B"
	}
	return digits(figure)
}

// digits formats a number with three digits, or with all digits before the point.
func digits(number float64) string {
	size := math.Abs(number)
	switch {
	case size < 0.005:
		return "0"
	case size < 9.995:
		return strconv.FormatFloat(number, 'f', 2, 64)
	case size < 99.95:
		return strconv.FormatFloat(number, 'f', 1, 64)
	}
	return fmt.Sprintf("%.0f", number)
}
