package measure

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Environment is where the figures come from.
type Environment struct {
	Go        string `json:"go"`
	System    string `json:"system"`
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	Rounds    int    `json:"rounds"`
}

// Here describes this machine.
func Here(rounds int) Environment {
	return Environment{
		Go:        runtime.Version(),
		System:    runtime.GOOS + "/" + runtime.GOARCH,
		Processor: processor(),
		Cores:     runtime.NumCPU(),
		Rounds:    rounds,
	}
}

// String is the environment as a sentence of a report.
func (e Environment) String() string {
	return fmt.Sprintf("%s on %s, %d cores of %s; the median of %d rounds at most.",
		e.Go, e.System, e.Cores, e.Processor, e.Rounds)
}

// processor is the model that Linux tells.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "an unnamed processor"
	}
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "an unnamed processor"
}
