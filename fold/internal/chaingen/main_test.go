package main

import (
	"bytes"
	"os"
	"testing"
)

func TestChainsAreUpToDate(t *testing.T) {
	want, err := generate()
	if err != nil {
		t.Fatalf("generate the chains: %v", err)
	}
	got, err := os.ReadFile("../../chain.go")
	if err != nil {
		t.Fatalf("read the chains: %v", err)
	}
	if !bytes.Equal(got, want) {
		t.Error("chain.go differs from the generated chains; run go generate in package fold")
	}
}
