package socket

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
)

// TestPoolRequestViewLendsTheResponse makes a request while another one of the only place is
// looked at.
func TestPoolRequestViewLendsTheResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _, stop := pooled(t, PoolConfig{Connections: 1, InFlight: 1}, echo)
		defer stop()
		var kept View
		err := pool.RequestView(t.Context(), Text("one"), func(v View) error {
			kept = v
			ask(t.Context(), t, pool, "two")
			if got := string(v.Bytes()); got != "echo: one" {
				t.Errorf("the response of RequestView, after another request: got %q, want %q", got, "echo: one")
			}
			return io.ErrShortBuffer
		})
		if err != io.ErrShortBuffer {
			t.Errorf("RequestView whose use fails: got %v, want its error as it is", err)
		}
		if panicOf(func() { kept.Bytes() }) == "" {
			t.Error("Bytes of a View after RequestView: got no panic")
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		err = pool.RequestView(ended, Text("three"), func(View) error { t.Error("use was called without a response"); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("RequestView with a context that has ended: got %v, want its cause", err)
		}
		closePool(t, pool)
	})
}
