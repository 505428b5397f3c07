package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/stream"
)

// State is a fold of the messages of a journal whose carry survives. The carry is kept in the broker
// together with the number of the last message in it, in one message and so in one step. After a
// crash at any point, the next run goes on behind that message: each message of the journal is in
// the carry exactly once.
//
//	count := journal.State[int]{
//		Name:   "count",
//		Monoid: fold.Sum[int](),
//		Of:     func(journal.Entry) int { return 1 },
//	}
//
// One run at a time folds a state. A run that finds that another one has saved its carry fails with
// [ErrFenced].
type State[C any] struct {
	// Name tells the states of a journal apart; letters, digits, _ and - only.
	Name string

	// Monoid combines the carry with what Of makes of each message.
	Monoid fold.Monoid[C]
	Of     func(Entry) C

	// Every and Interval say how often the carry is kept: after so many messages (default 1000),
	// and with the first message after that time (default 1 s). It is kept at the end of a run,
	// too. After a crash the messages since then are folded again, so this is a matter of time
	// and not of safety.
	Every    int
	Interval time.Duration

	// Codec encodes the carry; default [rpc.JSON].
	Codec rpc.Codec

	// Version is the version of what Codec writes. A carry of another version goes through
	// Migrate, and is kept in this version from then on. Without Migrate, and if it fails, the
	// run fails with [ErrUnreadable].
	Version int
	Migrate func(version int, content []byte) (C, error)

	// From is the number of the first message in the fold; default 1. It counts only as long as
	// no carry is kept.
	From uint64
}

// Carry is the fold of all messages of a journal up to one, which State.From may limit. Value must
// not be changed. If it is a map, a slice or a pointer, it changes after yield has returned.
type Carry[C any] struct {
	Value    C
	Sequence uint64 // the number of that message
}

// Replay emits the kept carry, and the carry after each further message that is in the journal when
// the run begins. It fails with a [*GapError] if a message is missing, with [ErrUnreadable],
// [ErrFenced], and as [Journal.Replay] does.
func (s State[C]) Replay(j *Journal) stream.Observable[Carry[C]] {
	return s.Fold(j)(stream.Empty[Entry]())
}

// Follow is Replay that goes on with the messages that come later, whoever appends them.
func (s State[C]) Follow(j *Journal) stream.Observable[Carry[C]] {
	return s.observable(j, func(ctx context.Context, r *stateRun[C]) error {
		return r.take(ctx, j.Follow(FromSequence(r.carry.Sequence+1)))
	})
}

// Fold is a stage behind [Journal.Commit] or [Journal.Write]. It is Replay that goes on with the
// entries of the source, which it runs when it has caught up. If the source leaves out messages,
// since other processes append to the journal as well, Fold reads them from the journal, before the
// next entry.
func (s State[C]) Fold(j *Journal) stream.Operator[Entry, Carry[C]] {
	return func(source stream.Observable[Entry]) stream.Observable[Carry[C]] {
		return s.observable(j, func(ctx context.Context, r *stateRun[C]) error {
			err := r.catchUp(ctx)
			if err != nil || r.unwanted {
				return err
			}
			return r.take(ctx, source)
		})
	}
}

// Forget removes the kept carry, so that the next run folds the journal from State.From on.
func (s State[C]) Forget(ctx context.Context, j *Journal) error {
	k, err := s.keeper(ctx, j)
	if err == nil {
		err = k.forget(ctx)
	}
	return j.fail(ctx, "forget the state "+s.Name+" of", err)
}

// observable restores the carry, emits it, and calls run.
func (s State[C]) observable(j *Journal, run func(context.Context, *stateRun[C]) error) stream.Observable[Carry[C]] {
	s.Every = max(1, cmp.Or(s.Every, 1000))
	s.Interval = cmp.Or(s.Interval, time.Second)
	s.From = max(1, s.From)
	if s.Codec == nil {
		s.Codec = rpc.JSON
	}
	return func(ctx context.Context, yield func(Carry[C]) bool) (err error) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r := &stateRun[C]{State: s, journal: j, yield: yield}
		if err := r.restore(ctx); err != nil {
			return j.fail(ctx, "restore the state "+s.Name+" of", err)
		}
		defer func() { err = r.finish(ctx, err) }()
		if !r.emit() {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return run(ctx, r)
	}
}

// stateRun is a run of a state.
type stateRun[C any] struct {
	State[C]
	journal  *Journal
	yield    func(Carry[C]) bool
	unwanted bool // yield returned false

	keeper  *keeper
	carry   Carry[C]
	whole   bool      // carry is what the fields say: no function of the user's broke off
	saved   uint64    // the Sequence of the carry that is kept
	savedAt time.Time // or when the run began
	fenced  bool
}

// restore reads the kept carry, and checks that the journal goes on behind it.
func (r *stateRun[C]) restore(ctx context.Context) (err error) {
	if r.keeper, err = r.State.keeper(ctx, r.journal); err != nil {
		return err
	}
	kept, err := r.keeper.load(ctx)
	if err != nil {
		return err
	}
	r.carry = Carry[C]{r.Monoid.Identity(), r.From - 1}
	if kept != nil {
		if r.carry.Value, err = r.decode(kept); err != nil {
			return err
		}
		r.carry.Sequence = kept.sequence
	}
	r.saved, r.savedAt, r.whole = r.carry.Sequence, time.Now(), true
	state, err := r.journal.state(ctx)
	if err != nil {
		return err
	}
	switch behind := r.carry.Sequence + 1; {
	case kept != nil && r.carry.Sequence > state.LastSeq:
		return &GapError{First: state.LastSeq + 1, Last: r.carry.Sequence, lost: true}
	case state.LastSeq >= behind && state.FirstSeq > behind:
		return &GapError{First: behind, Last: state.FirstSeq - 1}
	}
	return nil
}

// decode decodes a kept carry, of this version or another.
func (r *stateRun[C]) decode(kept *keptCarry) (value C, err error) {
	const keep = "the carry of message %d stays as it is: run the program that wrote it, "
	switch {
	case kept.version == r.Version:
		err = r.Codec.Decode(kept.content, &value)
	case r.Migrate == nil:
		return value, fmt.Errorf("%w: it is of version %d, and this program reads version %d; "+keep+"or set Migrate",
			ErrUnreadable, kept.version, r.Version, kept.sequence)
	default:
		value, err = r.Migrate(kept.version, kept.content)
	}
	if err != nil {
		return value, fmt.Errorf("%w: version %d: %w; "+keep+"or call Forget, if the journal still has all messages",
			ErrUnreadable, kept.version, err, kept.sequence)
	}
	return value, nil
}

// emit reports whether more is wanted.
func (r *stateRun[C]) emit() bool {
	r.unwanted = !r.yield(r.carry)
	return !r.unwanted
}

// catchUp folds what the journal has now.
func (r *stateRun[C]) catchUp(ctx context.Context) error {
	return r.take(ctx, r.journal.Replay(FromSequence(r.carry.Sequence+1)))
}

// take folds the entries of a source, without those that the carry has already.
func (r *stateRun[C]) take(ctx context.Context, source stream.Observable[Entry]) error {
	var failed error
	err := source(ctx, func(e Entry) bool {
		if e.Sequence > r.carry.Sequence+1 {
			if failed = r.fail(ctx, r.fill(ctx, e.Sequence-1)); failed != nil || r.unwanted {
				return false
			}
		}
		if e.Sequence <= r.carry.Sequence {
			return true
		}
		if failed = r.fail(ctx, r.add(ctx, e)); failed != nil {
			return false
		}
		return r.emit()
	})
	return cmp.Or(failed, err)
}

// fail returns an error of the fold, not of its source.
func (r *stateRun[C]) fail(ctx context.Context, err error) error {
	return r.journal.fail(ctx, "fold "+r.Name+" of", err)
}

// fill folds the messages up to last, which a source has left out. It fails if the journal does not
// have them.
func (r *stateRun[C]) fill(ctx context.Context, last uint64) error {
	var failed error
	err := r.journal.Replay(FromSequence(r.carry.Sequence+1))(ctx, func(e Entry) bool {
		if e.Sequence != r.carry.Sequence+1 {
			return false
		}
		if failed = r.add(ctx, e); failed != nil {
			return false
		}
		return r.emit() && r.carry.Sequence < last
	})
	if err = cmp.Or(failed, err); err != nil || r.unwanted || r.carry.Sequence >= last {
		return err
	}
	state, err := r.journal.state(ctx)
	if err != nil {
		return err
	}
	first := r.carry.Sequence + 1
	if state.FirstSeq > first {
		return &GapError{First: first, Last: state.FirstSeq - 1}
	}
	return &GapError{First: first, Last: last, lost: true}
}

// add folds an entry, and keeps the carry if it is time.
func (r *stateRun[C]) add(ctx context.Context, e Entry) error {
	r.whole = false
	r.carry.Value = r.Monoid.Combine(r.carry.Value, r.Of(e))
	r.carry.Sequence, r.whole = e.Sequence, true
	if r.carry.Sequence-r.saved < uint64(r.Every) && time.Since(r.savedAt) < r.Interval {
		return nil
	}
	return r.save(ctx)
}

func (r *stateRun[C]) save(ctx context.Context) error {
	content, err := r.Codec.Encode(&r.carry.Value)
	if err != nil {
		return fmt.Errorf("encode the carry: %w", err)
	}
	if limit := r.journal.MaxMessage(); len(content) > limit {
		return fmt.Errorf("%w: carry of %d bytes, the limit is %d: raise max_payload of the broker", socket.ErrTooLarge, len(content), limit)
	}
	if err := r.keeper.save(ctx, keptCarry{r.carry.Sequence, r.Version, content}); err != nil {
		r.fenced = errors.Is(err, ErrFenced)
		return err
	}
	r.saved, r.savedAt = r.carry.Sequence, time.Now()
	return nil
}

// finish keeps the carry at the end of a run, even if ctx has ended. A run that has failed keeps its
// error.
func (r *stateRun[C]) finish(ctx context.Context, err error) error {
	if !r.whole || r.fenced || r.saved == r.carry.Sequence {
		return err
	}
	return cmp.Or(err, r.fail(ctx, r.save(context.WithoutCancel(ctx))))
}
