package journal

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rxipc/rxipc/socket"
)

// Headers of a kept carry.
const (
	sequenceHeader = "Rxipc-Sequence" // of the last message in it
	versionHeader  = "Rxipc-Version"
	journalHeader  = "Rxipc-Journal" // the identity of the journal
)

// keptCarry is an encoded carry.
type keptCarry struct {
	sequence uint64
	version  int
	content  []byte
}

// keeper keeps the carries of a state: each is one message of a stream, which replaces the one
// before only if that is still the last.
type keeper struct {
	journal  *Journal
	stream   jetstream.Stream
	subject  string
	revision uint64 // the number of the last carry in its stream, 0 if there is none
}

func (s State[C]) keeper(ctx context.Context, j *Journal) (*keeper, error) {
	if !names.MatchString(s.Name) || s.Monoid == nil || s.Of == nil {
		return nil, fmt.Errorf("%w: a State needs a Name of letters, digits, _ and -, a Monoid and Of", socket.ErrInvalid)
	}
	inner, cancel := j.limited(ctx)
	defer cancel()
	prefix := "rxipc.journal." + j.name + ".carry."
	stream, err := j.streamOf(inner, j.name+"_carry", prefix+"*", "carries", jetstream.StreamConfig{
		MaxMsgs:           -1,
		MaxBytes:          -1,
		MaxMsgsPerSubject: 2,
	})
	if err != nil {
		return nil, explained(ctx, err)
	}
	return &keeper{journal: j, stream: stream, subject: prefix + s.Name}, nil
}

// load reads the last carry, nil if there is none.
func (k *keeper) load(ctx context.Context) (*keptCarry, error) {
	inner, cancel := k.journal.limited(ctx)
	defer cancel()
	m, err := k.stream.GetLastMsgForSubject(inner, k.subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		k.revision = 0
		return nil, nil
	}
	if err != nil {
		return nil, explained(ctx, err)
	}
	k.revision = m.Sequence
	if identity := m.Header.Get(journalHeader); identity != k.journal.identity {
		return nil, fmt.Errorf("%w: it is of a journal that was deleted and made again; call Forget to fold the new one", ErrUnreadable)
	}
	sequence, err := strconv.ParseUint(m.Header.Get(sequenceHeader), 10, 64)
	version, err2 := strconv.Atoi(m.Header.Get(versionHeader))
	if err := errors.Join(err, err2); err != nil {
		return nil, fmt.Errorf("%w: its headers: %w; call Forget, if the journal still has all messages", ErrUnreadable, err)
	}
	return &keptCarry{sequence, version, m.Data}, nil
}

// save keeps a carry. It fails with ErrFenced if another run has kept one meanwhile.
func (k *keeper) save(ctx context.Context, c keptCarry) error {
	inner, cancel := k.journal.limited(ctx)
	defer cancel()
	ack, err := k.journal.js.PublishMsg(inner, &nats.Msg{
		Subject: k.subject,
		Header: nats.Header{
			sequenceHeader: {strconv.FormatUint(c.sequence, 10)},
			versionHeader:  {strconv.Itoa(c.version)},
			journalHeader:  {k.journal.identity},
		},
		Data: c.content,
	}, jetstream.WithExpectLastSequencePerSubject(k.revision), jetstream.WithRetryAttempts(0))
	if answer, ok := errors.AsType[*jetstream.APIError](err); ok && (answer.ErrorCode == codeWrongLast || answer.ErrorCode == codeWrongLastConstant) {
		return fmt.Errorf("%w: %w", ErrFenced, err)
	}
	if err != nil {
		return explained(ctx, k.journal.reasonOf(ctx, err))
	}
	k.revision = ack.Sequence
	return nil
}

func (k *keeper) forget(ctx context.Context) error {
	inner, cancel := k.journal.limited(ctx)
	defer cancel()
	return k.stream.Purge(inner, jetstream.WithPurgeSubject(k.subject))
}
