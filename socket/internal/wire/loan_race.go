//go:build race

package wire

// raceBuild says that this is a build for the race detector.
const raceBuild = true
