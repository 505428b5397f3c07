package queue

import (
	"context"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// Serve is [ServeTyped] for jobs and results that are messages.
func Serve(connections stream.Observable[*socket.Connection], config Config) stream.Operator[socket.Message, Done] {
	same := func(m socket.Message) (socket.Message, error) { return m, nil }
	return ServeTyped(connections, config, same, same)
}

// ServeTyped gives each job to a worker, and emits the outcomes as they come, in any order. The
// connections are those of workers (see [Work]), mostly of [socket.IPC.Listen]. encode makes a
// message of a job. An error of encode makes the job a dead letter. decode makes a result of a
// message. An error of decode is a failed attempt. encode and decode are called on goroutines of
// the run, several at the same time.
//
// Dead letters are outcomes with an Err; [DeadLetters] parts them from the results.
//
// The run completes when the source has, and each job has its outcome. Then it closes the
// connections in an orderly way, which ends the workers. Jobs wait as long as there is no worker. The
// run fails when the source or the connections fail, and with ErrNoWorkers when the connections
// complete while there are jobs. The source runs on a goroutine of its own, and is read ahead, see
// [Config].Unfinished.
//
// A worker that is neither killed nor closes its connection keeps its place as long as it is
// connected. With [socket.Config].SilenceTimeout the supervisor closes the connection of a worker
// that is stopped.
func ServeTyped[J, R any](connections stream.Observable[*socket.Connection], config Config,
	encode func(J) (socket.Message, error), decode func(socket.Message) (R, error),
) stream.Operator[J, Outcome[J, R]] {
	config = config.withDefaults()
	return func(jobs stream.Observable[J]) stream.Observable[Outcome[J, R]] {
		return func(ctx context.Context, yield func(Outcome[J, R]) bool) error {
			open, finish := context.WithCancel(ctx)
			defer finish()
			return stream.Gather(1, func(g *stream.Group[Outcome[J, R]]) {
				q := &supervisor{config: config, attempts: make(chan *attempt), workers: map[*socket.Connection]*worker{}}
				q.start = func(run func(context.Context)) {
					g.Go(func(ctx context.Context, _ func(Outcome[J, R]) bool) error {
						run(ctx)
						return nil
					})
				}
				g.Go(func(ctx context.Context, push func(Outcome[J, R]) bool) error {
					defer finish()
					return operators.MapParallel(config.Unfinished, func(ctx context.Context, j J) (Outcome[J, R], error) {
						return do(ctx, q, j, encode, decode)
					}, operators.Unordered)(jobs)(ctx, push)
				})
				g.Go(func(ctx context.Context, _ func(Outcome[J, R]) bool) error { return q.serve(ctx, open, connections) })
			})(ctx, yield)
		}
	}
}

// DeadLetters parts results and dead letters: it emits the results, and gives outcomes with an Err
// to dead. The observers of dead choose their buffers, and what happens when those are full;
// without an observer dead letters are gone. dead ends as the run does, so it is for one run.
func DeadLetters[J, R any](dead *stream.Subject[Outcome[J, R]]) stream.Operator[Outcome[J, R], Outcome[J, R]] {
	return func(outcomes stream.Observable[Outcome[J, R]]) stream.Observable[Outcome[J, R]] {
		return func(ctx context.Context, yield func(Outcome[J, R]) bool) error {
			return dead.Feed(ctx, func(ctx context.Context, bury func(Outcome[J, R]) bool) error {
				return outcomes(ctx, func(o Outcome[J, R]) bool {
					if o.Err != nil {
						return bury(o)
					}
					return yield(o)
				})
			})
		}
	}
}
