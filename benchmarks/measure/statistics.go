package measure

import "slices"

// Summary is the middle of some samples and how far they spread: half of them lie
// between the quartiles.
type Summary struct {
	Median float64 `json:"median"`
	Low    float64 `json:"lower_quartile"`
	High   float64 `json:"upper_quartile"`
}

// Summarize gives the summary of samples, of which there must be one at least.
func Summarize(samples []float64) Summary {
	sorted := slices.Sorted(slices.Values(samples))
	return Summary{Median: quantile(sorted, 0.5), Low: quantile(sorted, 0.25), High: quantile(sorted, 0.75)}
}

// Percentile gives the value that a share of the samples does not exceed, between
// two of them in proportion. It sorts the samples.
func Percentile(samples []float64, share float64) float64 {
	slices.Sort(samples)
	return quantile(samples, share)
}

func quantile(sorted []float64, share float64) float64 {
	place := share * float64(len(sorted)-1)
	below := int(place)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (place-float64(below))*(sorted[above]-sorted[below])
}

// ratios divides round by round: a disturbance that lasts longer than a round
// meets both.
func ratios(samples, baseline []float64) []float64 {
	each := make([]float64, 0, len(samples))
	for i, sample := range samples {
		if baseline[i] != 0 {
			each = append(each, sample/baseline[i])
		}
	}
	return each
}
