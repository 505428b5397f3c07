package measure

import "slices"

// Summary is the median and the quartiles of samples. Half of the samples are between the
// quartiles.
type Summary struct {
	Median float64 `json:"median"`
	Low    float64 `json:"lower_quartile"`
	High   float64 `json:"upper_quartile"`
}

// Summarize returns the summary of at least one sample.
func Summarize(samples []float64) Summary {
	sorted := slices.Sorted(slices.Values(samples))
	return Summary{Median: quantile(sorted, 0.5), Low: quantile(sorted, 0.25), High: quantile(sorted, 0.75)}
}

// Percentile returns the value that the given share of the samples does not exceed, interpolated
// linearly between two samples. It sorts the samples.
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

// ratios divides the samples of each round. A disturbance that lasts longer than a round affects
// both of them.
func ratios(samples, baseline []float64) []float64 {
	each := make([]float64, 0, len(samples))
	for i, sample := range samples {
		if baseline[i] != 0 {
			each = append(each, sample/baseline[i])
		}
	}
	return each
}
