package journal

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rxipc/rxipc/stream"
)

// Queue is durable work: each message of a journal is a job for one of the processes that run the
// queue. Which jobs are settled is kept in the broker. A journal may have several queues, and each
// gets all of its messages.
type Queue struct {
	// Name tells the queues of a journal apart; letters, digits, _ and - only.
	Name string

	// InFlight is the highest number of jobs that a run has at a time; default 1. With
	// MapParallel, set it to the number of jobs that are done at once.
	InFlight int

	// Lease is the time within which a job must be settled or extended; default 30 s. Then it is
	// delivered again, to any process. The lease is of the queue: the last run sets it for all.
	Lease time.Duration

	// Attempts is the highest number of deliveries of a job; default 10, a negative value means
	// no limit. Then the job becomes a dead letter, see [Queue.DeadLetters].
	Attempts int

	// Delay is the time before a job that failed is delivered again; default 100 ms. It doubles
	// with each failure of the job up to MaxDelay, default 30 s.
	Delay, MaxDelay time.Duration
}

func (q Queue) withDefaults() Queue {
	q.InFlight = max(1, q.InFlight)
	q.Lease = cmp.Or(q.Lease, 30*time.Second)
	q.Attempts = cmp.Or(q.Attempts, 10)
	q.Delay = cmp.Or(q.Delay, 100*time.Millisecond)
	q.MaxDelay = max(q.Delay, cmp.Or(q.MaxDelay, 30*time.Second))
	return q
}

// Jobs emits jobs, in the order of the journal, but for those that are delivered again. It does not
// complete. A job is settled when yield has returned true: it is handled, and is not delivered again.
// When yield returns false or panics, the job is delivered again at once, unless [Job.Settle] was
// called. When the process dies, or closes its embedded broker, its jobs are delivered again after
// their lease. So a job may be done more than once.
//
//	q.Jobs(j).ForEach(ctx, func(job *journal.Job) {
//		job.Settle(ctx, work(job))
//	})
//
// Before a stage that lets yield return too early, such as MapParallel, jobs are held:
//
//	stream.Pipe2(q.Jobs(j),
//		operators.Map((*journal.Job).Hold),
//		operators.MapParallel(8, func(ctx context.Context, job *journal.Job) (error, error) {
//			return nil, job.Settle(ctx, work(job))
//		}),
//	)
//
// The run fails with [ErrUnsettled] if such a stage gets a job that is not held, and with
// [ErrUnavailable] when the broker does not answer.
func (q Queue) Jobs(j *Journal) stream.Observable[*Job] {
	return func(ctx context.Context, yield func(*Job) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r := &queueRun{Queue: q.withDefaults(), journal: j, freed: make(chan struct{}, 1)}
		err := r.open(ctx)
		if err == nil {
			defer r.close()
			err = r.run(ctx, yield)
		}
		return j.fail(ctx, "run the queue "+q.Name+" of", err)
	}
}

// queueRun is a run of a queue.
type queueRun struct {
	Queue
	journal *Journal
	dead    jetstream.Stream
	puller  *puller
	freed   chan struct{} // a token after a job was settled

	mu       sync.Mutex
	inFlight int // jobs that are not settled
}

func (r *queueRun) open(ctx context.Context) (err error) {
	if r.dead, err = r.deadStream(ctx, r.journal); err != nil {
		return err
	}
	inner, cancel := r.journal.limited(ctx)
	defer cancel()
	if _, err = r.journal.stream.CreateOrUpdateConsumer(inner, jetstream.ConsumerConfig{
		Durable:       r.Name,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       r.Lease,
		MaxDeliver:    -1,
		MaxAckPending: 10_000,
	}); err != nil {
		return err
	}
	r.puller, err = newPuller(r.journal.conn, r.journal.name, r.Name, r.InFlight, 0)
	return err
}

// close gives back the jobs that were delivered and not emitted.
func (r *queueRun) close() {
	for {
		m, err := r.puller.sub.NextMsg(time.Nanosecond)
		if err != nil {
			break
		}
		if m.Header.Get("Status") == "" {
			_ = m.Respond([]byte("-NAK"))
		}
	}
	r.puller.close()
}

func (r *queueRun) run(ctx context.Context, yield func(*Job) bool) error {
	for {
		job, err := r.next(ctx)
		if err != nil {
			return err
		}
		if job == nil { // it has become a dead letter
			continue
		}
		more, err := r.handle(ctx, job, yield)
		if err != nil || !more {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// next waits for a job and room for it.
func (r *queueRun) next(ctx context.Context) (*Job, error) {
	for {
		if r.puller.ahead = r.room(); r.puller.ahead > 0 {
			break
		}
		select {
		case <-r.freed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	var late time.Time // zero before the first failure
	for {
		m, err := r.puller.next(ctx)
		switch {
		case err == nil:
			return r.jobOf(ctx, m)
		case err != errSilent: // which the broker is after a reconnection, too
			return nil, err
		case late.IsZero():
			late = time.Now().Add(r.journal.config.Timeout)
		case time.Now().After(late):
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if err := pause(ctx, heartbeat/10); err != nil {
			return nil, err
		}
		r.puller.awaited = 0
	}
}

// room is how many more jobs the run may have.
func (r *queueRun) room() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.InFlight - r.inFlight
}

func (r *queueRun) count(change int) {
	r.mu.Lock()
	r.inFlight += change
	r.mu.Unlock()
	signal(r.freed)
}

// jobOf decodes a job. A job that cannot be decoded or was delivered too often becomes a dead letter.
func (r *queueRun) jobOf(ctx context.Context, m *nats.Msg) (*Job, error) {
	d, err := deliveryOf(m.Reply)
	if err != nil {
		return nil, err
	}
	message, invalid := messageOf(m)
	job := &Job{Entry: Entry{d.sequence, message}, Attempt: int(d.attempt), run: r, raw: m}
	r.count(1)
	switch {
	case invalid != nil:
		return nil, job.bury(ctx, invalid)
	case r.Attempts > 0 && job.Attempt > r.Attempts:
		return nil, job.bury(ctx, fmt.Errorf("the lease of %v ended in all of %d attempts", r.Lease, r.Attempts))
	}
	return job, nil
}

// handle emits a job, and settles it.
func (r *queueRun) handle(ctx context.Context, job *Job, yield func(*Job) bool) (more bool, err error) {
	defer func() {
		if !more && err == nil && !job.held {
			_ = job.answer(ctx, "-NAK", false) // also after a panic; without it, after the lease
		}
	}()
	more = yield(job)
	if !more || job.held || job.isSettled() {
		return more, nil
	}
	if stage := stream.Buffering(ctx); stage != "" {
		_ = job.answer(ctx, "-NAK", false)
		return false, fmt.Errorf("%w: the following stage %s buffers it; call Hold before that stage", ErrUnsettled, stage)
	}
	return true, job.Settle(ctx, nil)
}

// Job is a message of a [Queue]. Its methods may be called from any goroutine.
type Job struct {
	Entry
	Attempt int // how often it was delivered, this time included

	run  *queueRun
	raw  *nats.Msg
	held bool

	mu      sync.Mutex
	settled bool
}

// Hold keeps the job open when yield returns, for a later [Job.Settle]. It returns the job, so that
// it is a stage: operators.Map((*journal.Job).Hold). The code that gets the job calls it, before it
// returns.
func (job *Job) Hold() *Job {
	job.held = true
	return job
}

// Settle ends the attempt. Without an error the job is done. With one it is delivered again, after
// the delay of the queue, or becomes a dead letter with the text of the error if this was the last
// attempt. It returns when the broker has noted it, and fails with ErrUnavailable if it does not
// answer; the job may then be delivered again. Later calls do nothing.
func (job *Job) Settle(ctx context.Context, failure error) error {
	if failure == nil {
		return job.fail(ctx, job.answer(ctx, "+ACK", true))
	}
	if q := job.run.Queue; q.Attempts > 0 && job.Attempt >= q.Attempts {
		return job.fail(ctx, job.bury(ctx, failure))
	}
	return job.fail(ctx, job.answer(ctx, fmt.Sprintf(`-NAK {"delay": %d}`, job.delay()), true))
}

// Extend begins the lease anew.
func (job *Job) Extend(ctx context.Context) error {
	if job.isSettled() {
		return nil
	}
	return job.fail(ctx, job.ask(ctx, "+WPI"))
}

// delay is the time before the next attempt.
func (job *Job) delay() time.Duration {
	q := job.run.Queue
	delay := q.Delay
	for i := 1; i < job.Attempt && delay < q.MaxDelay; i++ {
		delay *= 2
	}
	return min(delay, q.MaxDelay)
}

func (job *Job) fail(ctx context.Context, err error) error {
	return job.run.journal.fail(ctx, fmt.Sprintf("settle message %d of the queue %s of", job.Sequence, job.run.Name), err)
}

func (job *Job) isSettled() bool {
	job.mu.Lock()
	defer job.mu.Unlock()
	return job.settled
}

// settle reports whether the caller settles the job.
func (job *Job) settle() bool {
	job.mu.Lock()
	defer job.mu.Unlock()
	first := !job.settled
	job.settled = true
	return first
}

// answer settles the job, and waits until the broker has noted it, if it shall.
func (job *Job) answer(ctx context.Context, answer string, wait bool) error {
	if !job.settle() {
		return nil
	}
	defer job.run.count(-1)
	if !wait {
		return job.raw.Respond([]byte(answer))
	}
	return job.ask(ctx, answer)
}

// ask sends an answer, and waits until the broker has noted it.
func (job *Job) ask(ctx context.Context, answer string) error {
	inner, cancel := job.run.journal.limited(ctx)
	defer cancel()
	_, err := job.run.journal.conn.RequestWithContext(inner, job.raw.Reply, []byte(answer))
	return err
}

// bury makes the job a dead letter, and then settles it. If that fails, it is delivered again.
func (job *Job) bury(ctx context.Context, failure error) error {
	if job.isSettled() {
		return nil
	}
	r := job.run
	details, err := json.Marshal(deadLetter{job.Sequence, job.Attempt, failure.Error()})
	if err != nil {
		return err
	}
	inner, cancel := r.journal.limited(ctx)
	defer cancel()
	_, err = r.journal.js.PublishMsg(inner, &nats.Msg{
		Subject: r.deadSubject(r.journal),
		Header: nats.Header{
			typeHeader: job.raw.Header[typeHeader],
			idHeader:   {fmt.Sprint(job.Sequence)},
			deadHeader: {string(details)},
		},
		Data: job.raw.Data,
	}, jetstream.WithRetryAttempts(0))
	if err != nil {
		return err
	}
	return job.answer(ctx, "+TERM dead letter", true)
}
