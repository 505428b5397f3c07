package main

import (
	"bytes"
	"os"
	"testing"
)

// So every operator that can be a method is one.
func TestChainIsUpToDate(t *testing.T) {
	want, err := generate("../..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../chain_operators_go127.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("chain_operators_go127.go is out of date; run go generate in package operators")
	}
}
