// Package queue gives jobs to worker processes and collects their results. No job is lost when a
// worker is killed, is stopped, or hangs.
//
// The supervisor is a stage of a pipeline: jobs in, outcomes out. It listens for workers, which
// come and go:
//
//	outcomes := queue.Serve(ipc.Listen(name), queue.Config{
//		Lease: 10 * time.Second,
//		Retry: operators.RetryPolicy{Times: 3},
//	})(jobs)
//
// A worker is a function:
//
//	err := queue.Work(ipc, name, func(ctx context.Context, job socket.Message) (socket.Message, error) {
//		return socket.Text(strings.ToUpper(job.Content())), nil
//	}).Run(ctx)
//
// [ServeTyped] and [Typed] are the same for jobs and results of any type.
//
// # At least once
//
// A job is given to one worker at a time, with a lease. An attempt fails when
//
//	the worker's function returns an error or panics     [*WorkerError]
//	the worker's connection ends, for instance by kill   [ErrGone]
//	the lease ends before a result has come              [ErrLease]
//	the result cannot be decoded                         the error of decode
//
// After a failed attempt the job is given to a worker again, as [Config].Retry says. So a job may
// run more than once, and more than once at the same time:
//
//   - The worker may have finished the job and died before its result arrived.
//   - After the end of a lease the worker may still be at work. A worker that was stopped goes on
//     when it is continued.
//
// A job that must have its effect once needs a function that recognizes a job which was done
// before. Its context ends with the lease, counted from when the worker got the job, and when the
// connection ends.
//
// The first result counts. The result of an attempt whose lease has ended is accepted if the job
// has no outcome yet. Later results of the job are dropped, and counted as skipped values in the
// [stream.Drops] of the run. A worker whose lease has ended gets no other job in that place before
// it has answered, so a hanging worker does not collect jobs.
//
// # What the supervisor keeps
//
// The supervisor keeps jobs in memory, between their arrival from the source and the return of
// yield from their outcome. They are lost with the supervisor. Where that matters, the source reads
// a store, and the stage behind the outcomes removes a job from the store.
//
// PROTOCOL.md has the bytes, so a worker in PHP can take part.
package queue
