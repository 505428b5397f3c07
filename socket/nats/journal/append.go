package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/rxipc/rxipc/socket"
)

// Headers of messages in the broker.
const (
	typeHeader     = "Content-Type"
	idHeader       = "Nats-Msg-Id"
	batchHeader    = "Nats-Batch-Id"
	batchSeqHeader = "Nats-Batch-Sequence"
	commitHeader   = "Nats-Batch-Commit"
)

// headerRoom is more than the headers of a message have, without its media type and its id.
const headerRoom = 200

// Append appends messages in their order. It returns when they are on the disk, with their entries;
// a message whose id is remembered has none. It fails with ErrFull, ErrUnavailable, or
// [socket.ErrTooLarge] for a message over [Journal.MaxMessage]. After an error all, some or none may
// have been stored: append them again, with ids if they must not be there twice.
//
// Up to 1,000 messages and 8 MiB are stored in one step, all or none, with one sync.
func (j *Journal) Append(ctx context.Context, messages ...socket.Message) ([]Entry, error) {
	for _, m := range messages {
		if err := j.check(m); err != nil {
			return nil, j.fail(ctx, "append to", err)
		}
	}
	entries := make([]Entry, 0, len(messages))
	for len(messages) > 0 {
		n := batchOf(messages)
		var err error
		if entries, err = j.store(ctx, entries, messages[:n]); err != nil {
			return nil, j.fail(ctx, "append to", j.reasonOf(ctx, err))
		}
		messages = messages[n:]
	}
	return entries, nil
}

// MaxMessage is the largest content that the journal takes, in bytes. An embedded broker takes 8 MiB
// by default, one elsewhere 1 MiB: its setting max_payload, less some room for headers.
func (j *Journal) MaxMessage() int { return int(j.conn.MaxPayload()) - headerRoom }

// check reports a message that the journal does not take.
func (j *Journal) check(m socket.Message) error {
	if m.MediaType().IsZero() {
		return fmt.Errorf("%w: the message has no media type", socket.ErrInvalid)
	}
	id, _ := m.MediaType().Parameter(j.config.ID)
	if size, limit := m.Len()+len(m.MediaType().String())+len(id), j.MaxMessage(); size > limit {
		return fmt.Errorf("%w: message of %d bytes, the limit is %d: raise max_payload of the broker", socket.ErrTooLarge, size, limit)
	}
	return nil
}

// batchOf returns how many of the messages fit into the next batch, at least one.
func batchOf(messages []socket.Message) int {
	bytes := 0
	for i, m := range messages {
		bytes += m.Len()
		if i == maxBatch || i > 0 && bytes > maxBatchBytes {
			return i
		}
	}
	return len(messages)
}

// store stores a batch, and adds its entries.
func (j *Journal) store(ctx context.Context, entries []Entry, batch []socket.Message) ([]Entry, error) {
	if j.config.SyncEvery > 0 || len(batch) == 1 {
		return j.storeEach(ctx, entries, batch)
	}
	last, err := j.storeAtOnce(ctx, batch)
	if answer, ok := errors.AsType[*jetstream.APIError](err); ok && (answer.ErrorCode == codeDuplicateInBatch || answer.ErrorCode == codeDuplicateConflict) {
		return j.storeEach(ctx, entries, batch) // the broker refuses the batch as a whole
	}
	if err != nil {
		return nil, err
	}
	for i, m := range batch {
		entries = append(entries, Entry{last - uint64(len(batch)-1-i), m})
	}
	return entries, nil
}

// storeEach has each message stored by itself, many in flight.
func (j *Journal) storeEach(ctx context.Context, entries []Entry, batch []socket.Message) ([]Entry, error) {
	ctx, cancel := j.limited(ctx)
	defer cancel()
	futures := make([]jetstream.PubAckFuture, len(batch))
	for i, m := range batch {
		header := nats.Header{}
		j.describe(header, m)
		var err error
		if futures[i], err = j.js.PublishMsgAsync(&nats.Msg{Subject: j.subject(), Header: header, Data: bytesOf(m)}, jetstream.WithRetryAttempts(0)); err != nil { // a retry would change the order
			return nil, err
		}
	}
	for i, future := range futures {
		select {
		case ack := <-future.Ok():
			if !ack.Duplicate {
				entries = append(entries, Entry{ack.Sequence, batch[i]})
			}
		case err := <-future.Err():
			return nil, err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return entries, nil
}

// storeAtOnce publishes an atomic batch: the broker stores all of it or nothing, with one sync. It
// returns the number of the last message.
func (j *Journal) storeAtOnce(ctx context.Context, batch []socket.Message) (last uint64, err error) {
	ctx, cancel := j.limited(ctx)
	defer cancel()
	header := nats.Header{batchHeader: {nuid.Next()}}
	sequence := []string{""}
	header[batchSeqHeader] = sequence
	for i, m := range batch {
		sequence[0] = strconv.Itoa(i + 1)
		j.describe(header, m)
		msg := nats.Msg{Subject: j.subject(), Header: header, Data: bytesOf(m)} // nats.go keeps neither
		if i < len(batch)-1 {
			if err := j.conn.PublishMsg(&msg); err != nil {
				return 0, err
			}
			continue
		}
		header[commitHeader] = []string{"1"}
		answer, err := j.conn.RequestMsgWithContext(ctx, &msg)
		if err != nil {
			return 0, err
		}
		return sequenceIn(answer.Data)
	}
	return 0, nil
}

// reasonOf returns the error of a write, or why the broker did not answer to it.
func (j *Journal) reasonOf(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return j.whySilent(err)
	}
	return err
}

// whySilent looks for the reason for which the broker does not answer: it does not when it fails to
// write. An embedded broker has its health. Any other gets a message that belongs to no batch, to
// which it answers with what ails it, or else with codeIncompleteBatch.
func (j *Journal) whySilent(silence error) error {
	if err := j.health(); err != nil && saysFull.MatchString(err.Error()) {
		return fmt.Errorf("%w: %w; make room, and open the journal again", ErrFull, err)
	} else if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), min(heartbeat, j.config.Timeout))
	defer cancel()
	answer, err := j.conn.RequestMsgWithContext(ctx, &nats.Msg{
		Subject: j.subject(),
		Header:  nats.Header{batchHeader: {nuid.Next()}, batchSeqHeader: {"2"}},
	})
	if err != nil {
		return silence
	}
	_, err = sequenceIn(answer.Data)
	if known, ok := errors.AsType[*jetstream.APIError](err); ok && known.ErrorCode != codeIncompleteBatch {
		return err
	}
	return silence
}

// describe sets the headers that describe a message.
func (j *Journal) describe(header nats.Header, m socket.Message) {
	header[typeHeader] = []string{m.MediaType().String()}
	if id, ok := m.MediaType().Parameter(j.config.ID); ok {
		header[idHeader] = []string{id}
	} else {
		delete(header, idHeader)
	}
}

// sequenceIn decodes the answer to a batch.
func sequenceIn(answer []byte) (uint64, error) {
	var ack struct {
		Sequence uint64              `json:"seq"`
		Error    *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(answer, &ack); err != nil {
		return 0, fmt.Errorf("decode the answer of the broker: %w", err)
	}
	if ack.Error != nil {
		return 0, ack.Error
	}
	return ack.Sequence, nil
}
