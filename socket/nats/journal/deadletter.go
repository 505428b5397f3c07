package journal

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// DeadLetter is a job that could not be done in [Queue.Attempts].
type DeadLetter struct {
	Entry           // the message, with its number in the journal
	Attempts int    // how often it was delivered
	Reason   string // the text of the last error
}

// deadHeader has a deadLetter in JSON.
const deadHeader = "Rxipc-Dead"

type deadLetter struct {
	Sequence uint64 `json:"sequence"`
	Attempts int    `json:"attempts"`
	Reason   string `json:"reason"`
}

// DeadLetters emits the dead letters of the queue that are there when the run begins, the oldest
// first, and completes. They stay until the stream in which they are is purged.
func (q Queue) DeadLetters(j *Journal) stream.Observable[DeadLetter] {
	return func(ctx context.Context, yield func(DeadLetter) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		stored, err := q.deadStream(ctx, j)
		if err != nil {
			return j.fail(ctx, "read the dead letters of", err)
		}
		return replay(ctx, j, stored, FromBeginning(), false, deadLetterOf, yield)
	}
}

func deadLetterOf(_ uint64, m *nats.Msg) (DeadLetter, error) {
	var details deadLetter
	if err := json.Unmarshal([]byte(m.Header.Get(deadHeader)), &details); err != nil {
		return DeadLetter{}, err
	}
	message, err := messageOf(m)
	if err != nil { // a reason for its death
		message = socket.NewMessageBytes(socket.OctetStream(), m.Data)
	}
	return DeadLetter{Entry{details.Sequence, message}, details.Attempts, details.Reason}, nil
}

// deadStream opens the stream of dead letters, which has the window of the journal for duplicates: a
// job whose death was noted and not settled is not noted again.
func (q Queue) deadStream(ctx context.Context, j *Journal) (jetstream.Stream, error) {
	if !names.MatchString(q.Name) {
		return nil, fmt.Errorf("%w: the name %q of a queue has letters, digits, _ and - only", socket.ErrInvalid, q.Name)
	}
	inner, cancel := j.limited(ctx)
	defer cancel()
	dead, err := j.streamOf(inner, j.name+"_"+q.Name+"_dead", q.deadSubject(j), "dead letters", jetstream.StreamConfig{
		MaxMsgs:    -1,
		MaxBytes:   -1,
		Duplicates: j.config.Window,
	})
	return dead, explained(ctx, err)
}

func (q Queue) deadSubject(j *Journal) string { return "rxipc.journal." + j.name + ".dead." + q.Name }
