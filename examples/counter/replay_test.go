package main

import (
	"context"
	"testing"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/sockettest"
)

// The clients were recorded with "rxipc record a" while counter ran.
func TestServerAnswersRecordedClients(t *testing.T) {
	ended := sockettest.Replay(t, "testdata/clients.jsonl", func(ctx context.Context, ipc *socket.IPC) fold.Attempt[int] {
		return count(ctx, ipc, socket.MustParseName("a"), 6)
	})
	if total, err := ended.Get(); total != 6 || err != nil {
		t.Errorf("replay the clients of a counter: got the count %d, %v, want 6", total, err)
	}
}
