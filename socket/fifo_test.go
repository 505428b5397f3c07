package socket

import (
	"slices"
	"testing"
)

func TestFifoIsAQueue(t *testing.T) {
	random := newRandom(1)
	var q fifo[int]
	var model []int
	for i := range 10_000 {
		switch n := random.IntN(4); {
		case n < 2 || len(model) == 0:
			q.push(i)
			model = append(model, i)
		case n == 2:
			k := random.IntN(len(model) + 1)
			q.drop(k)
			model = model[k:]
		default:
			k := random.IntN(min(2, len(model)) + 1)
			q.cut(k)
			model = model[:len(model)-k]
		}
		if !slices.Equal(q.all(), model) || q.len() != len(model) {
			t.Fatalf("after step %d: got %v, want %v", i, q.all(), model)
		}
	}
}

func TestFifoKeepsNoMoreRoomThanItNeeds(t *testing.T) {
	var q fifo[int]
	for i := range 100_000 {
		q.push(i)
		if q.len() > 10 {
			q.drop(1)
		}
	}
	if cap(q.items) > 64 {
		t.Errorf("add and drop in turn: got the capacity %d, want at most 64", cap(q.items))
	}
}
