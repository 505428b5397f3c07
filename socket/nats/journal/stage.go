package journal

import (
	"context"
	"unsafe"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// Commit is a stage behind [socket.Exchanges]: it stores each message, then acknowledges it, and
// then emits its entry. While a batch is written, further messages wait for the next batch, so one
// sync serves many. The order of the messages stays.
//
//	stream.Pipe3(
//		socket.Exchanges(ipc.Listen(name)),
//		j.Commit,
//		state.Fold(j),
//	)
//
// A message goes with what was responded before the stage. A message that is in the journal already,
// because of its id, is acknowledged and not emitted. A message over [Journal.MaxMessage] is
// rejected, and the run goes on. Set [socket.Config.MaxMessage] to that limit, so that its sender
// gets socket.ErrTooLarge.
//
// The run fails as [Journal.Append] does. The messages of that batch are not acknowledged then.
// [socket.ServerConfig.MaxHeld] limits the messages that one connection has in a batch; 64 by
// default.
func (j *Journal) Commit(exchanges stream.Observable[socket.Exchange]) stream.Observable[Entry] {
	return stream.Pipe2(exchanges, operators.MapErr(j.hold), batching(heldSize, j.commitBatches))
}

// hold holds an exchange whose message the journal takes.
func (j *Journal) hold(x socket.Exchange) (*socket.Held, error) {
	if err := j.check(x.Message); err != nil {
		x.Reject(j.fail(x.Context(), "append to", err))
		return nil, stream.ErrSkip
	}
	return x.Hold(), nil
}

// commitBatches stores batches, acknowledges them, and emits their entries.
func (j *Journal) commitBatches(batches stream.Observable[[]*socket.Held]) stream.Observable[Entry] {
	return func(ctx context.Context, yield func(Entry) bool) error {
		var entries []Entry
		commit := socket.Commit(func(ctx context.Context, batch []*socket.Held) (err error) {
			entries, err = j.appendHeld(ctx, batch)
			return err
		})
		return commit(batches)(ctx, func([]*socket.Held) bool {
			for _, e := range entries {
				if !yield(e) {
					return false
				}
			}
			return true
		})
	}
}

// Store stores a batch of held exchanges, for a [socket.Commit] of your own:
//
//	operators.BufferTimeOrCount[*socket.Held](time.Millisecond, 1000),
//	socket.Commit(j.Store),
//
// It fails as [Journal.Append] does.
func (j *Journal) Store(ctx context.Context, batch []*socket.Held) error {
	_, err := j.appendHeld(ctx, batch)
	return err
}

func (j *Journal) appendHeld(ctx context.Context, batch []*socket.Held) ([]Entry, error) {
	messages := make([]socket.Message, len(batch))
	for i, h := range batch {
		messages[i] = h.Message
	}
	return j.Append(ctx, messages...)
}

// Write is a stage that stores the messages of any source, in their order and many with one sync,
// and emits their entries when they are on the disk. The run fails as [Journal.Append] does.
func (j *Journal) Write(messages stream.Observable[socket.Message]) stream.Observable[Entry] {
	return batching(socket.Message.Len, func(batches stream.Observable[[]socket.Message]) stream.Observable[Entry] {
		return func(ctx context.Context, yield func(Entry) bool) error {
			return operators.MapErr(func(batch []socket.Message) ([]Entry, error) {
				return j.Append(ctx, batch...)
			})(batches)(ctx, func(entries []Entry) bool {
				for _, e := range entries {
					if !yield(e) {
						return false
					}
				}
				return true
			})
		}
	})(messages)
}

func heldSize(h *socket.Held) int { return h.Len() }

// bytesOf returns the content of a message, which must only be read.
func bytesOf(m socket.Message) []byte {
	return unsafe.Slice(unsafe.StringData(m.Content()), m.Len())
}
