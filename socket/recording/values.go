package recording

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// Values returns an operator that records each run of an observable, its values as JSON, and
// changes nothing. The name says what it is. [Observe] plays a run that was recorded.
//
// A value that has no JSON ends the recording, not the run: [Writer.Err] says so.
func Values[T any](to *Writer, name string) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		return func(ctx context.Context, yield func(T) bool) error {
			run := to.begun(Subscribed, name)
			write := func(kind Kind, content string) {
				to.write(Entry{Time: to.now(), Connection: run, Kind: kind, Content: content})
			}
			wanted := true
			err := source(ctx, func(v T) bool {
				if text, err := json.Marshal(v); err != nil {
					to.fail(err)
				} else {
					write(Value, string(text))
				}
				wanted = yield(v)
				return wanted
			})
			switch {
			case err != nil:
				write(Failed, err.Error())
			case !wanted:
				write(Left, "")
			default:
				write(Completed, "")
			}
			return err
		}
	}
}

// ErrRecorded is the failure of [Observe] where the recorded run failed. The error has the text of
// that failure.
var ErrRecorded = errors.New("failure of a recorded run")

// Observe returns an observable that emits the values of a run that was recorded, each as long after
// the beginning as then, and ends as the run did. A run that its subscriber left, and one whose end is
// not in the recording, completes. The number of a run is that in the file, from 1 on.
//
// It fails with [ErrRecorded]; with [ErrCut] at a value that was cut; with [ErrFormat] if there is no
// such run, and at a value that is no T. It waits by timers, so in a bubble of testing/synctest it plays in
// virtual time: streamtest.Draw makes a marble diagram of it.
func Observe[T any](r Recording, run int) stream.Observable[T] {
	var entries []Entry
	for _, e := range r.Entries {
		if e.Connection == run && e.isOfObservable() {
			entries = append(entries, e)
		}
	}
	return func(ctx context.Context, yield func(T) bool) error {
		if len(entries) == 0 {
			return fmt.Errorf("%w: there is no run %d of an observable", ErrFormat, run)
		}
		begin := time.Now().Add(-entries[0].Time)
		for _, e := range entries {
			if (Player{}).await(ctx, begin.Add(e.Time)); ctx.Err() != nil {
				return context.Cause(ctx)
			}
			switch {
			case e.Missing > 0:
				return fmt.Errorf("%w: %v", ErrCut, e)
			case e.Kind == Failed:
				return fmt.Errorf("%w: %s", ErrRecorded, e.Content)
			case e.Kind == Completed, e.Kind == Left:
				return nil
			case e.Kind == Subscribed:
				continue
			}
			var v T
			if err := json.Unmarshal([]byte(e.Content), &v); err != nil {
				return fmt.Errorf("%w: %v: %w", ErrFormat, e, err)
			}
			if !yield(v) {
				return nil
			}
		}
		return nil
	}
}
