package queue

import (
	"cmp"
	"errors"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
)

// Config says how jobs are given to workers. The zero Config is ready for use.
type Config struct {
	// InFlight is the highest number of jobs that one worker has at the same time; default 1.
	// The worker calls its function for all of them at once.
	InFlight int

	// Lease is the time within which a worker must have done a job, from when the job is sent;
	// default 30 s. Beyond it the attempt fails with ErrLease. A negative value disables the limit:
	// a worker that hangs keeps its job then.
	Lease time.Duration

	// Retry says how often and after which delay a job is given to a worker again. By default
	// that is without end, after 100 ms to 30 s. Its If gets the error of the attempt, for example
	// to count only failures of the function: an attempt that failed otherwise, with ErrGone or
	// ErrLease, is no fault of the job. When no retry is left, the job is a dead letter.
	Retry operators.RetryPolicy

	// Unfinished is the highest number of jobs that are with workers, wait for a worker, or wait
	// for a retry; default 128. At most twice as many jobs have been read from the source without
	// an outcome. It should be at least the number of workers times InFlight.
	Unfinished int
}

func (c Config) withDefaults() Config {
	c.InFlight = max(1, c.InFlight)
	c.Lease = cmp.Or(c.Lease, 30*time.Second)
	c.Unfinished = max(1, cmp.Or(c.Unfinished, 128))
	worth := c.Retry.If
	c.Retry.If = func(err error) bool { return !isFinal(err) && (worth == nil || worth(err)) }
	return c
}

// Outcome is the end of a job: its result, or the reason why there is none.
type Outcome[J, R any] struct {
	Job      J     // as it came from the source
	Result   R     // the zero value with an Err
	Err      error // nil with a result; otherwise the job is a dead letter, and Err is the failure of its last attempt
	Attempts int   // how often the job was given to a worker
}

// Done is the Outcome of a job that is a message, with a message as its result.
type Done = Outcome[socket.Message, socket.Message]

// The failures of attempts. [Outcome].Err wraps that of the last one.
var (
	// ErrGone means that the connection of the worker ended before its result came.
	ErrGone = errors.New("queue: the worker is gone")

	// ErrLease means that no result came before the lease ended.
	ErrLease = errors.New("queue: the lease has ended without a result")

	// ErrNoWorkers means that the connections ended while there were jobs, so that no worker can
	// come any more. The run fails with it.
	ErrNoWorkers = errors.New("queue: no worker can connect any more")
)

// WorkerError is the failure of a worker's function, as the supervisor learns it.
type WorkerError struct {
	Text  string // the text of the error, at most 4 KiB
	Final bool   // the worker used [Final], so there is no retry
}

// Error returns the text of the worker's error.
func (e *WorkerError) Error() string { return "queue: the worker failed: " + e.Text }

// Final marks an error of a worker's function: the job fails for good, without another attempt.
// Final of nil is nil.
func Final(err error) error {
	if err == nil {
		return nil
	}
	return &finalError{err}
}

type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }

// isFinal reports whether another attempt would fail as well: by the worker's word, or because the
// job cannot be sent.
func isFinal(err error) bool {
	if failed, ok := errors.AsType[*WorkerError](err); ok {
		return failed.Final
	}
	_, ok := errors.AsType[*finalError](err)
	return ok
}
