package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// Start is where a replay starts: see [FromBeginning], [FromSequence] and [FromTime].
type Start struct {
	sequence uint64 // 0: by time
	time     time.Time
}

// FromBeginning starts at the oldest message that is kept.
func FromBeginning() Start { return Start{sequence: 1} }

// FromSequence starts at the message of that number, or at the first kept one after it.
func FromSequence(sequence uint64) Start { return Start{sequence: max(1, sequence)} }

// FromTime starts at the first message that the broker stored at that time or later.
func FromTime(t time.Time) Start { return Start{time: t} }

// Replay emits the messages of the journal up to the last one that is there when the run begins,
// and completes. It reads ahead, up to 500 messages or 4 MiB, or two messages if they are larger. It
// passes over messages that the limits have removed: their numbers are missing. It fails with
// [ErrUnavailable] when the broker does not answer for [Config.Timeout].
func (j *Journal) Replay(from Start) stream.Observable[Entry] {
	return func(ctx context.Context, yield func(Entry) bool) error {
		return replay(ctx, j, j.stream, from, false, entryOf, yield)
	}
}

// Follow is Replay that goes on with the messages that come later, and does not complete.
func (j *Journal) Follow(from Start) stream.Observable[Entry] {
	return func(ctx context.Context, yield func(Entry) bool) error {
		return replay(ctx, j, j.stream, from, true, entryOf, yield)
	}
}

// Limits of the messages that a replay has asked for and not emitted.
const (
	readAhead      = 500
	readAheadBytes = 4 << 20
)

// decoder makes a value of a message with that number.
type decoder[T any] func(sequence uint64, m *nats.Msg) (T, error)

// replay emits the messages of a stream of the journal.
func replay[T any](ctx context.Context, j *Journal, stored jetstream.Stream, from Start, endless bool, decode decoder[T], yield func(T) bool) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	info, err := j.infoOf(ctx, stored)
	if err != nil {
		return j.fail(ctx, "replay", err)
	}
	r := reading{journal: j, stored: stored, name: info.Config.Name, from: from}
	defer r.close()
	if !endless {
		if r.last = info.State.LastSeq; info.State.Msgs == 0 || from.sequence > r.last {
			return ended(ctx)
		}
	}
	return j.fail(ctx, "replay", r.run(ctx, func(sequence uint64, m *nats.Msg) (bool, error) {
		value, err := decode(sequence, m)
		if err != nil {
			return false, fmt.Errorf("%w: message %d: %w", ErrCorrupt, sequence, err)
		}
		return yield(value), nil
	}))
}

// reading is a run of a replay. It reads a consumer of its own, and makes another one when that is
// lost.
type reading struct {
	journal *Journal
	stored  jetstream.Stream
	name    string // of the stream
	from    Start  // where the next consumer starts
	last    uint64 // 0: there is none

	puller   *puller // nil: there is none
	consumer string
	number   uint64 // of the last message in the consumer
}

func (r *reading) run(ctx context.Context, emit func(uint64, *nats.Msg) (more bool, err error)) error {
	for {
		sequence, m, err := r.next(ctx)
		if err == errAtEnd {
			return ended(ctx)
		}
		if err != nil {
			return err
		}
		r.from = FromSequence(sequence + 1)
		if more, err := emit(sequence, m); err != nil || !more {
			return err
		}
		if ctx.Err() != nil || r.last > 0 && sequence >= r.last {
			return ended(ctx)
		}
	}
}

// errAtEnd ends a reading whose remaining messages have been removed meanwhile.
var errAtEnd = errors.New("at the end")

// next waits for the next message.
func (r *reading) next(ctx context.Context) (uint64, *nats.Msg, error) {
	var late time.Time // zero before the first failure
	for {
		sequence, m, err := r.tryNext(ctx)
		switch {
		case err == nil && r.last > 0 && sequence > r.last: // those up to the last were removed
			return 0, nil, errAtEnd
		case err == nil:
			return sequence, m, nil
		case ctx.Err() != nil:
			return 0, nil, context.Cause(ctx)
		case err != errSilent && err != errIdle && !errors.Is(explained(ctx, err), ErrUnavailable):
			return 0, nil, err
		}
		r.close()
		if now := time.Now(); late.IsZero() {
			late = now.Add(r.journal.config.Timeout)
		} else if now.After(late) && err == errIdle {
			return 0, nil, fmt.Errorf("%w: message %d: %w; its file may be damaged: restore the folder from a copy", ErrCorrupt, r.from.sequence, err)
		} else if now.After(late) {
			return 0, nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if err := pause(ctx, heartbeat/10); err != nil {
			return 0, nil, err
		}
	}
}

// tryNext waits for the next message of a consumer, which it makes if there is none. It fails with
// errSilent or errIdle if another consumer is needed.
func (r *reading) tryNext(ctx context.Context) (uint64, *nats.Msg, error) {
	if r.puller == nil {
		if err := r.open(ctx); err != nil {
			return 0, nil, err
		}
	}
	m, err := r.puller.next(ctx)
	if err != nil {
		return 0, nil, err
	}
	d, err := deliveryOf(m.Reply)
	if err != nil {
		return 0, nil, err
	}
	if r.number++; d.number != r.number {
		return 0, nil, errSilent // a message was lost on the way
	}
	return d.sequence, m, nil
}

// open makes a consumer. If nothing is left to read up to the last message, it fails with errAtEnd.
func (r *reading) open(ctx context.Context) error {
	j := r.journal
	info, err := j.infoOf(ctx, r.stored)
	if err != nil {
		return err
	}
	if r.last > 0 && (info.State.Msgs == 0 || max(info.State.FirstSeq, r.from.sequence) > r.last) {
		return errAtEnd
	}
	inner, cancel := j.limited(ctx)
	defer cancel()
	r.consumer, r.number = "replay-"+nuid.Next(), 0
	config := jetstream.ConsumerConfig{
		Name:              r.consumer,
		AckPolicy:         jetstream.AckNonePolicy,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: requestExpiry,
	}
	if r.from.sequence > 0 {
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, r.from.sequence
	} else {
		config.DeliverPolicy, config.OptStartTime = jetstream.DeliverByStartTimePolicy, &r.from.time
	}
	consumer, err := r.stored.CreateConsumer(inner, config)
	if err != nil {
		return err
	}
	r.puller, err = newPuller(j.conn, r.name, r.consumer, readAhead, max(readAheadBytes, 2*int(j.conn.MaxPayload())))
	if err != nil {
		return err
	}
	r.puller.busy = r.last > 0
	if r.last > 0 && consumer.CachedInfo().NumPending == 0 {
		return errAtEnd
	}
	return nil
}

// close removes the consumer. If the broker cannot be reached, it removes it by itself.
func (r *reading) close() {
	if r.puller == nil {
		return
	}
	r.puller.close()
	r.puller = nil
	if !r.journal.conn.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), heartbeat)
	defer cancel()
	_ = r.stored.DeleteConsumer(ctx, r.consumer)
}

// entryOf decodes a message of the journal.
func entryOf(sequence uint64, m *nats.Msg) (Entry, error) {
	message, err := messageOf(m)
	return Entry{sequence, message}, err
}

func messageOf(m *nats.Msg) (socket.Message, error) {
	text := m.Header.Get(typeHeader)
	if text == plain.String() {
		return socket.NewMessageBytes(plain, m.Data), nil
	}
	mediaType, err := socket.ParseMediaType(text)
	if err != nil {
		return socket.Message{}, err
	}
	return socket.NewMessageBytes(mediaType, m.Data), nil
}

// plain is the media type that most messages have.
var plain = socket.TextPlain()

// ended is the end of a run that completes.
func ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
