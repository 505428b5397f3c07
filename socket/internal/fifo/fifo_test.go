package fifo

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestFifoIsAQueue(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	var q Queue[int]
	var model []int
	for i := range 10_000 {
		switch n := random.IntN(4); {
		case n < 2 || len(model) == 0:
			q.Push(i)
			model = append(model, i)
		case n == 2:
			k := random.IntN(len(model) + 1)
			q.Drop(k)
			model = model[k:]
		default:
			k := random.IntN(min(2, len(model)) + 1)
			q.Cut(k)
			model = model[:len(model)-k]
		}
		if !slices.Equal(q.All(), model) || q.Len() != len(model) {
			t.Fatalf("after step %d: got %v, want %v", i, q.All(), model)
		}
	}
}

func TestFifoKeepsNoMoreRoomThanItNeeds(t *testing.T) {
	var q Queue[int]
	for i := range 100_000 {
		q.Push(i)
		if q.Len() > 10 {
			q.Drop(1)
		}
	}
	if cap(q.items) > 64 {
		t.Errorf("add and drop in turn: got the capacity %d, want at most 64", cap(q.items))
	}
}
