package sender

import (
	"context"
	"errors"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// run is a run of SendAll.
type run struct {
	*Sender
	backlog   *backlog
	delivered int
	doubtful  int   // messages, from the first one in the backlog on, that may have been handled
	wanted    bool  // yield wants more
	blamed    int   // times that the server failed at the first one in the backlog
	broken    error // of the source, or of a message that cannot be sent; after all others are delivered
}

// run runs the source on a goroutine of its own, which fills the backlog, and sends on the caller's.
func (r *run) run(ctx context.Context, messages stream.Observable[socket.Message], yield func(Delivery) bool) error {
	sending, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var failed error
	err := stream.Gather(1, func(g *stream.Group[struct{}]) {
		g.Go(func(ctx context.Context, push func(struct{}) bool) error {
			defer r.backlog.finish()
			if push(struct{}{}) {
				r.fill(ctx, messages, stop)
			}
			return nil
		})
	})(ctx, func(struct{}) bool {
		failed = operators.Retry[Delivery](r.config.Retry)(r.session)(sending, yield)
		return false
	})
	if err != nil {
		return err
	}
	if failed == nil && r.wanted {
		return context.Cause(ctx)
	}
	return failed
}

// fill runs the source. stop ends the sending, for a failure of the storage.
func (r *run) fill(ctx context.Context, messages stream.Observable[socket.Message], stop func(error)) {
	var refused error
	err := messages(stream.WithBuffering(ctx, "Sender.SendAll"), func(m socket.Message) bool {
		if refused = r.ipc.Check(m); refused != nil {
			return false
		}
		if err := r.backlog.push(ctx, m, r.config.Overflow); err != nil {
			stop(err)
			return false
		}
		return true
	})
	if refused != nil {
		err = refused
	}
	r.broken = err // before finish
}

// session connects once, sends what is in the backlog and what comes, and emits the deliveries.
func (r *run) session(ctx context.Context, yield func(Delivery) bool) error {
	if err := r.backlog.awaitFirst(ctx); err != nil {
		return err
	}
	if r.backlog.isOver() {
		return r.ended()
	}
	p, err := r.ipc.ConnectTo(ctx, r.name).Get()
	if err != nil {
		if ctx.Err() == nil {
			r.config.Lost(err)
		}
		return err
	}
	defer p.Close(context.WithoutCancel(ctx))
	p.DropUnasked()
	r.backlog.rewind()
	s := session{run: r, yield: yield}
	err = p.SendAll(r.backlog.unread)(ctx, func(m socket.Message) bool { return s.deliver(m, nil) })
	if err == nil && s.wanted && s.failed == nil {
		return r.ended()
	}
	if err != nil {
		err = s.settle(ctx, err)
	}
	switch {
	case s.failed != nil:
		return &fatal{s.failed}
	case !s.wanted:
		return nil
	case ctx.Err() == nil:
		r.config.Lost(err)
		if r.backlog.isOver() {
			return r.ended()
		}
	}
	return err
}

// ended returns how a run ends after the last delivery.
func (r *run) ended() error {
	if r.broken != nil {
		return &fatal{r.broken}
	}
	return nil
}

// session is the sending over one connection.
type session struct {
	*run
	yield  func(Delivery) bool
	count  int   // deliveries
	failed error // of the storage
}

// deliver emits a delivery of the first message in the backlog, and forgets the message. It reports
// whether to go on.
func (s *session) deliver(m socket.Message, err error) bool {
	d := Delivery{Message: m, Doubtful: s.doubtful > 0, Err: err}
	s.wanted = s.yield(d)
	s.count++
	s.delivered++
	s.doubtful = max(0, s.doubtful-1)
	s.blamed = 0
	s.failed = s.backlog.conclude()
	return s.wanted && s.failed == nil
}

// settle delivers what was acknowledged before the connection ended with err, unless ctx has ended,
// and notes what is doubtful. It gives up the message at which the server has failed too often. It
// returns the cause of the end.
func (s *session) settle(ctx context.Context, err error) error {
	var failed *socket.SendError
	if !errors.As(err, &failed) {
		s.failed = err // the storage cannot be read
		return err
	}
	s.backlog.rewind()
	for s.wanted && s.failed == nil && s.count < failed.Acknowledged && ctx.Err() == nil {
		s.deliverFirst(nil)
	}
	s.doubtful = max(s.doubtful, failed.Acknowledged-s.count+failed.Doubtful())
	if !s.wanted || s.failed != nil || ctx.Err() != nil || !isBlame(failed.Err) || failed.Sent == failed.Acknowledged {
		return failed.Err
	}
	if s.blamed++; s.config.Attempts > 0 && s.blamed >= s.config.Attempts {
		s.deliverFirst(failed.Err)
	}
	return failed.Err
}

// deliverFirst is deliver for a message that is read again.
func (s *session) deliverFirst(err error) {
	m, failed := s.backlog.first()
	if failed != nil {
		s.failed = failed
		return
	}
	s.deliver(m, err)
}

// failure returns the error of the run.
func (r *run) failure(err error) error {
	if f, ok := err.(*fatal); ok {
		err = f.error
	}
	waiting := r.backlog.len()
	doubtful := min(r.doubtful, waiting)
	return &Error{Name: r.name, Delivered: r.delivered, Doubtful: doubtful, Unsent: waiting - doubtful, Err: err}
}
