package stream

import (
	"runtime"
	"strings"
)

// goroutineID names the calling goroutine, by the first line of its stack,
// "goroutine 7 [running]:": there is no other way to it. It costs about a microsecond,
// so only who is about to wait may ask.
func goroutineID() string {
	var buffer [32]byte
	line := string(buffer[:runtime.Stack(buffer[:], false)])
	id, _, _ := strings.Cut(strings.TrimPrefix(line, "goroutine "), " ")
	return id
}
