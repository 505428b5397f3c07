package journal

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rxipc/rxipc/socket"
)

// The sentinels of the package. Its errors wrap them in an [*Error], so test for them with
// errors.Is.
var (
	// ErrFull means that the disk, a quota of the broker, or a limit of the journal with
	// [Config.Refuse] has no room for a message. Nothing of the batch is acknowledged.
	ErrFull = errors.New("the journal is full")

	// ErrUnavailable means that the broker did not answer in time, is gone, or has no quorum. A
	// message may have been stored; it is not acknowledged. A later run may succeed.
	ErrUnavailable = errors.New("the broker of the journal does not answer")

	// ErrCorrupt means that messages or a carry which had been acknowledged are missing or cannot
	// be read. Nothing is overwritten. The error says what is missing.
	ErrCorrupt = errors.New("the journal is damaged")

	// ErrFenced means that another run has saved the carry of a [State] meanwhile. One run at a
	// time may fold it.
	ErrFenced = errors.New("another run folds this state")

	// ErrUnreadable means that the kept carry of a [State] is of another version, or cannot be
	// decoded. It stays as it is. The error says what to do.
	ErrUnreadable = errors.New("the kept carry cannot be read")

	// ErrForeign means that a stream of NATS has the name of the journal, and is not a journal.
	ErrForeign = errors.New("the stream is not a journal")

	// ErrUnsettled means that a job reached a stage that buffers, without a call of [Job.Hold].
	ErrUnsettled = errors.New("the job was neither handled nor held")
)

// Error is the error of an operation on a journal.
type Error struct {
	Op      string // such as "append to", "replay"
	Journal string // its name
	Err     error
}

func (e *Error) Error() string { return "journal: " + e.Op + " " + e.Journal + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// GapError means that a fold would leave out messages, because the journal does not have them any
// more. It wraps ErrCorrupt unless the limits of the journal may have removed them.
type GapError struct {
	First, Last uint64 // the missing messages
	lost        bool   // and not removed as the oldest
}

func (e *GapError) Error() string {
	messages := fmt.Sprintf("the messages %d to %d are", e.First, e.Last)
	if e.First == e.Last {
		messages = fmt.Sprintf("the message %d is", e.First)
	}
	if e.lost {
		return messages + " missing, which were acknowledged: restore the folder from a copy"
	}
	return messages + fmt.Sprintf(" removed, by the limits of the journal, before the carry included them: "+
		"raise the limits, or set From of the state to %d to leave them out", e.Last+1)
}

// Unwrap returns ErrCorrupt if no limit explains the gap.
func (e *GapError) Unwrap() error {
	if e.lost {
		return ErrCorrupt
	}
	return nil
}

// Codes of the broker's answers, from its table of errors.
const (
	codeInsufficientResources = 10023
	codeAccountLimit          = 10002
	codeStorageExceeded       = 10047
	codeMemoryExceeded        = 10028
	codeStoreFailed           = 10077
	codeNotAvailable          = 10008
	codeNotLeader             = 10009
	codeOffline               = 10118
	codeIncompleteBatch       = 10176
	codeDuplicateInBatch      = 10201
	codeDuplicateConflict     = 10158
	codeWrongLast             = 10071
	codeWrongLastConstant     = 10164
)

// saysFull matches reasons for which a store failed that have no code of their own.
var saysFull = regexp.MustCompile("maximum|no space left|quota|not enough space|file too large")

// explained adds the sentinel that an error of the broker or of nats.go means.
func explained(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return context.Cause(ctx)
	}
	for _, already := range []error{ErrFull, ErrUnavailable, ErrFenced, ErrCorrupt, socket.ErrTooLarge} {
		if errors.Is(err, already) {
			return err
		}
	}
	if known, ok := errors.AsType[jetstream.JetStreamError](err); ok && known.APIError() != nil {
		return explainedAnswer(known.APIError(), err)
	}
	for _, gone := range []error{context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoResponders, nats.ErrConnectionClosed,
		nats.ErrDisconnected, nats.ErrConnectionReconnecting, nats.ErrReconnectBufExceeded, nats.ErrNoServers,
		jetstream.ErrMsgIteratorClosed, jetstream.ErrNoHeartbeat, jetstream.ErrNoStreamResponse, jetstream.ErrAsyncPublishTimeout} {
		if errors.Is(err, gone) {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	return err
}

func explainedAnswer(answer *jetstream.APIError, err error) error {
	switch answer.ErrorCode {
	case codeStoreFailed:
		if !saysFull.MatchString(answer.Description) {
			return err
		}
		return fmt.Errorf("%w: %w; make room, or raise the limits", ErrFull, err)
	case codeInsufficientResources, codeAccountLimit, codeStorageExceeded, codeMemoryExceeded:
		return fmt.Errorf("%w: %w; make room, or raise the limits", ErrFull, err)
	case codeNotAvailable, codeNotLeader, codeOffline:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case jetstream.JSErrCodeStreamMessageExceedsMaximum:
		return fmt.Errorf("%w: %w", socket.ErrTooLarge, err)
	}
	return err
}

// fail returns an *Error, but the cause of an ended ctx as it is: the contract of an observable.
func (j *Journal) fail(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	err = explained(ctx, err)
	if ctx.Err() != nil && err == context.Cause(ctx) {
		return err
	}
	if already, ok := errors.AsType[*Error](err); ok {
		return already
	}
	return &Error{Op: op, Journal: j.name, Err: err}
}
