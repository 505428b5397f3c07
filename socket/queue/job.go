package queue

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
)

// job is a message that wants a result, through all of its attempts.
type job struct {
	message socket.Message
	given   int // attempts that a worker got; for the goroutine of do

	decode  func(socket.Message) (keep func(), err error)
	settled atomic.Bool // it has its outcome; set by whoever has the first result, or by do
	done    func()      // ends the attempts, once the result is kept
}

// errDone ends the attempts of a job that has its result.
var errDone = errors.New("the job has its result")

// do has a job done, by as many attempts as the policy allows.
func do[J, R any](ctx context.Context, q *supervisor, value J, encode func(J) (socket.Message, error), decode func(socket.Message) (R, error)) (Outcome[J, R], error) {
	outcome := Outcome[J, R]{Job: value}
	message, err := encode(value)
	if err != nil {
		outcome.Err = err
		return outcome, nil
	}
	trying, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	j := &job{message: message, done: func() { cancel(errDone) }}
	j.decode = func(m socket.Message) (keep func(), err error) {
		result, err := decode(m)
		return func() { outcome.Result = result }, err
	}
	err = operators.Retry[struct{}](q.config.Retry)(func(ctx context.Context, _ func(struct{}) bool) error {
		return q.try(ctx, j)
	}).Run(trying)
	if j.settled.CompareAndSwap(false, true) {
		outcome.Err = err
	} else {
		<-trying.Done() // until the result is kept
	}
	outcome.Attempts = j.given
	return outcome, context.Cause(ctx)
}

// try gives a job to a worker and waits for the end of the attempt. It returns nil only if the job
// has its result.
func (q *supervisor) try(ctx context.Context, j *job) error {
	for {
		j.given++
		a := &attempt{job: j, number: j.given, failed: make(chan error, 1)}
		select {
		case q.attempts <- a:
		case <-ctx.Done():
			j.given--
			return context.Cause(ctx)
		}
		select {
		case err := <-a.failed:
			if err != errNotGiven {
				return err
			}
			j.given--
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// attempt is one time that a job is given to a worker.
type attempt struct {
	*job
	number int
	failed chan error // has room for the one failure
}

// errNotGiven means that the worker was gone before it had the job.
var errNotGiven = errors.New("the worker did not get the job")

// answered takes a worker's answer, and reports whether it was the first result of the job.
// Otherwise it returns why the attempt failed.
func (a *attempt) answered(m socket.Message) (first bool, err error) {
	result, err := parseResult(m)
	if err != nil {
		return false, err
	}
	keep, err := a.decode(result)
	if err != nil {
		return false, err
	}
	if !a.settled.CompareAndSwap(false, true) {
		return false, nil
	}
	keep()
	a.done()
	return true, nil
}
