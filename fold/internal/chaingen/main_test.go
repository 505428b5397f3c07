package main

import (
	"bytes"
	"os"
	"testing"
)

func TestChainsAreUpToDate(t *testing.T) {
	want, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../chain.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("chain.go is out of date; run go generate in package fold")
	}
}
