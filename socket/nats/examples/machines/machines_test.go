//go:build unix

package main

import (
	"testing"

	"github.com/rxipc/rxipc/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

func TestStoryCountsAcrossTheEndOfABroker(t *testing.T) {
	temp := programtest.Dir(t)
	programtest.Start(t, temp).Wait().Expect(t, 0,
		"20 messages are acknowledged, and the first broker ends",
		"counter: 42",
	)
	programtest.IsEmpty(t, temp)
}
