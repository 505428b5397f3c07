package sender_test

import (
	"testing"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/sender"
)

func TestIdentifiedMessagesDiffer(t *testing.T) {
	m := socket.NewMessage(socket.MustParseMediaType("text/plain; charset=utf-8"), "same")
	first, second := sender.Identified(m), sender.Identified(m)
	id, ok := first.MediaType().Parameter("id")
	charset, _ := first.MediaType().Parameter("charset")
	if !ok || len(id) < 22 || charset != "utf-8" || first.Content() != "same" || first == second {
		t.Errorf("identify a message twice: got %v and %v, want it with different ids", first.MediaType(), second.MediaType())
	}
	if again := sender.Identified(first); again != first {
		t.Errorf("identify a message that has an id: got %v, want it as it was", again.MediaType())
	}
	if got := sender.Identified(socket.Message{}); got != (socket.Message{}) {
		t.Errorf("identify a message without a media type: got %v, want it as it was", got)
	}
}
