package streamtest

import (
	"runtime"
	"strings"
)

// goroutineID is the number of the calling goroutine, from its stack: there is
// no other way to it.
func goroutineID() string {
	buffer := make([]byte, 64)
	return idOf(string(buffer[:runtime.Stack(buffer, false)]))
}

// idOf is the number in "goroutine 7 [running, synctest bubble 3]:".
func idOf(stack string) string {
	_, rest, _ := strings.Cut(stack, " ")
	id, _, _ := strings.Cut(rest, " ")
	return id
}

// bubbleOf is the bubble in the first line of a stack.
func bubbleOf(stack string) string {
	line, _, _ := strings.Cut(stack, "\n")
	_, bubble, _ := strings.Cut(line, "synctest bubble ")
	return strings.TrimSuffix(bubble, "]:")
}

// goroutines are the stacks of the goroutines of the caller's bubble, by number.
func goroutines() map[string]string {
	stacks := allGoroutines()
	return goroutinesOf(bubbleOf(stacks[0]), stacks) // the caller's comes first
}

func goroutinesOf(bubble string, stacks []string) map[string]string {
	found := make(map[string]string)
	for _, stack := range stacks {
		if bubbleOf(stack) == bubble {
			found[idOf(stack)] = stack
		}
	}
	return found
}

// allGoroutines are the stacks of all goroutines, the caller's first.
func allGoroutines() []string {
	buffer := make([]byte, 1<<16)
	n := runtime.Stack(buffer, true)
	for n == len(buffer) {
		buffer = make([]byte, 2*len(buffer))
		n = runtime.Stack(buffer, true)
	}
	return strings.Split(string(buffer[:n]), "\n\n")
}
