package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/recording"
)

func (o *options) record() *cobra.Command {
	r := recorder{options: o}
	var as, file string
	var config recording.Config
	var restore bool
	command := &cobra.Command{
		Use:   "record NAME",
		Short: "Record what clients and a server send each other, while it goes on working",
		Long: `Record each frame between the clients and the server of a name, with its time, to a file, until a signal
comes. The file has JSON lines (see package socket/recording); "rxipc replay" plays it.

record takes the place of the server's socket, and passes on what comes there. Connections that were
made before are not recorded. The server sees the process and the user of rxipc in place of its
clients', so record admits this user, root, and those of --user. A server of rxipc notices that its
socket was replaced, and logs it. At the end, or when the server ends, the socket is put back.
If record is killed, no client reaches the server until "rxipc record --restore NAME" puts it back.

With --as, record listens on a second name and touches nothing. Only clients that connect to that name
are recorded. The server may restart meanwhile.`,
		Example: `  rxipc record counter
  rxipc record counter --as counter-recorded -o fault.jsonl
  rxipc record secrets --hide -o - | tail -f`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeNames,
		RunE: func(command *cobra.Command, args []string) error {
			name, err := parseName(args[0])
			if err != nil {
				return err
			}
			r.name, r.errs = name, command.ErrOrStderr()
			config.Name = name.String()
			switch {
			case restore && as != "":
				return fmt.Errorf("%w: --restore and --as exclude each other", errUsage)
			case restore:
				return r.restore(command.Context())
			}
			if file == "" {
				file = name.String() + ".jsonl"
			}
			return r.toFile(command, file, config, func(ctx context.Context) error {
				if as == "" {
					return r.inPlace(ctx)
				}
				return r.beside(ctx, as)
			})
		},
	}
	flags := command.Flags()
	flags.StringVarP(&file, "output", "o", "", "the new file, - for the standard output (default NAME.jsonl)")
	flags.StringVar(&as, "as", "", "listen on this name instead of taking the server's place")
	flags.IntVar(&config.Cut, "cut", 0, "record so many bytes of each content; 0 for all")
	flags.BoolVar(&config.Hide, "hide", false, "record the sizes of contents only")
	flags.BoolVar(&restore, "restore", false, "put back the socket that a record which was killed has moved")
	return command
}

// recorder records the connections to a server.
type recorder struct {
	*options
	name      socket.Name
	errs      io.Writer
	writer    *recording.Writer
	recording bool // it has begun

	relays sync.WaitGroup
}

// toFile records to a new file, which only this user may read.
func (r *recorder) toFile(command *cobra.Command, file string, config recording.Config, record func(context.Context) error) error {
	out, discard := command.OutOrStdout(), func() error { return nil }
	if file != "-" {
		created, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%w: remove it, or name another one with --output", err)
		}
		if err != nil {
			return err
		}
		defer created.Close()
		out, discard = created, func() error { return errors.Join(created.Close(), os.Remove(file)) }
	}
	r.writer = recording.NewWriter(out, config)
	err := record(command.Context())
	if err != nil && !r.recording {
		err = errors.Join(err, discard()) // so that the next try can have the file
	}
	return errors.Join(r.writer.Err(), err)
}

// beside listens on a second name.
func (r *recorder) beside(ctx context.Context, as string) error {
	second, err := parseName(as)
	if err != nil {
		return err
	}
	listener, err := r.unix().Listen(ctx, second)
	if err != nil {
		return err
	}
	defer listener.Close()
	fmt.Fprintf(r.errs, "rxipc: recording clients that connect to %v\n", second)
	return r.relayAll(ctx, listener, listener.Close, func(ctx context.Context) (net.Conn, error) { return r.dial(ctx, r.name) })
}

// relayAll relays connections until ctx ends. It leaves the name then, and connections that are open
// have the time limit to end.
func (r *recorder) relayAll(ctx context.Context, listener net.Listener, leave func() error, dial func(context.Context) (net.Conn, error)) error {
	ctx, end := context.WithCancelCause(ctx)
	left := make(chan error, 1)
	r.recording = true
	context.AfterFunc(ctx, func() { left <- leave() })
	relaying, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	for {
		client, err := listener.Accept()
		if err != nil {
			end(err)
			break
		}
		r.relays.Go(func() { r.relay(relaying, client, dial) })
	}
	failure := <-left
	if failure != nil {
		fmt.Fprintln(r.errs, "rxipc: leave the name:", failure)
	}
	if r.timeout > 0 {
		limit := time.AfterFunc(r.timeout, cut)
		defer limit.Stop()
	}
	r.relays.Wait()
	return errors.Join(context.Cause(ctx), failure)
}

// relay connects a client to the server.
func (r *recorder) relay(ctx context.Context, client net.Conn, dial func(context.Context) (net.Conn, error)) {
	err := r.admit(client)
	var server net.Conn
	if err == nil {
		limited, cancel := r.limited(ctx)
		defer cancel()
		server, err = dial(limited)
	}
	if err != nil {
		fmt.Fprintln(r.errs, "rxipc: a client is turned away:", err)
		client.Close()
		return
	}
	recording.Relay(ctx, client, server, r.name.String(), r.writer)
}

// unix returns the transport of the flags.
func (o *options) unix() socket.Unix { return socket.Unix{Dir: o.dir} }

// dial connects to the server of a name without the library, and checks that it may be trusted.
func (o *options) dial(ctx context.Context, name socket.Name) (net.Conn, error) {
	conn, err := o.unix().Dial(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := o.admit(conn); err != nil {
		conn.Close()
		return nil, &socket.Error{Op: "dial", Name: name.String(), Err: fmt.Errorf("%w: %w", socket.ErrUntrusted, err)}
	}
	return conn, nil
}

// admit returns why the other end of a connection is not of this user, of root, or of --user.
func (o *options) admit(conn net.Conn) error {
	peer, err := socket.PeerOf(conn)
	if err != nil {
		if errors.Is(err, errors.ErrUnsupported) {
			return nil // the mode of the socket decides alone
		}
		return err
	}
	return socket.Users(append([]string{"0"}, o.users...)...)(conn, fold.Just(peer))
}
