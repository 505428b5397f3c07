package measure

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Environment describes the machine and the Go version of the figures.
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

// String returns the environment as a sentence of a report.
func (e Environment) String() string {
	return fmt.Sprintf("%s on %s, %d cores of %s; the median of at most %d rounds.",
		e.Go, e.System, e.Cores, e.Processor, e.Rounds)
}

// processor returns the model name from /proc/cpuinfo of Linux.
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
