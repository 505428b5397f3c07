package inspect

import (
	"context"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/stream"
)

// The methods that [Inspector.Methods] handles.
var (
	// Watch streams snapshots.
	Watch = rpc.NewStream[Query, Snapshot]("rxipc.inspect").Doc("Snapshots of the running pipelines and connections.")

	// Close closes a connection.
	Close = rpc.NewMethod[CloseRequest, struct{}]("rxipc.inspect.close").Doc("Closes a connection that a snapshot has.")
)

// CloseRequest says which connection to close.
type CloseRequest struct {
	ID uint64 `json:"id"` // of a Connection
}

// Methods returns the handlers of Watch and Close, for [rpc.NewServer]. Whoever may connect to the
// server may call them. Options.Token is not used.
func (i *Inspector) Methods(o Options) []rpc.Handler {
	return []rpc.Handler{
		rpc.HandleStream(Watch, func(_ context.Context, q Query) stream.Observable[Snapshot] { return i.snapshots(q, o.Contents) }),
		rpc.Handle(Close, func(ctx context.Context, r CloseRequest) (struct{}, error) {
			if err := i.Close(ctx, r.ID); err != nil {
				return struct{}{}, &rpc.Problem{Title: "no such connection", Detail: err.Error()}
			}
			return struct{}{}, nil
		}),
	}
}

// remote is the Inspector of another program.
type remote struct{ pool *socket.Pool }

func (r remote) snapshots(q Query) stream.Observable[Snapshot] { return Watch.Observe(r.pool, q) }

func (r remote) close(ctx context.Context, id uint64) error {
	_, err := Close.Call(ctx, r.pool, CloseRequest{id})
	return err
}

// ServeRemote serves the page of another program, whose server has Methods, as [Inspector.Serve]
// does. It uses a pool, so the page goes on when that server has restarted. Of the options it uses
// the token only: the other program decides about contents, with the options of its Methods.
func ServeRemote(ctx context.Context, pool *socket.Pool, address string, o Options, listening func(url string)) error {
	return serve(ctx, remote{pool}, address, o.Token, listening)
}
