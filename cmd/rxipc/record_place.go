package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rxipc/rxipc/socket"
)

// place is where the sockets are while record stands in the place of a server. Names that begin
// with a dot are of no server.
type place struct {
	public string // clients connect to it
	server string // the server's socket, as long as it is recorded
	ours   string // the socket of record, before it takes the place
}

func (o *options) place(name socket.Name) place {
	public := o.path(name)
	hidden := filepath.Join(filepath.Dir(public), "."+name.String())
	return place{public, hidden + ".real", hidden + ".rec"}
}

var (
	errServerEnded = errors.New("the server has ended")
	errRecorded    = errors.New(`it is recorded already, or a record was killed; then "rxipc record --restore" puts its socket back`)
)

// inPlace takes the place of the server's socket, and puts it back in the end. A connection of its
// own, without messages, tells it when the server ends.
func (r *recorder) inPlace(ctx context.Context) error {
	server, err := r.connect(ctx, r.name.String())
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := r.limited(context.WithoutCancel(ctx))
		defer cancel()
		server.Close(closing)
	}()
	p := r.place(r.name)
	listener, own, err := p.take()
	if err != nil {
		return fmt.Errorf("record %v: %w", r.name, err)
	}
	defer listener.Close()
	fmt.Fprintf(r.errs, "rxipc: recording the clients of %v\n", r.name)
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	go func() {
		for ctx.Err() == nil {
			if server.Wait(ctx).Err() != nil { // a message that it pushes is not for us
				end(errServerEnded)
			}
		}
	}()
	leave := func() error {
		defer listener.SetDeadline(time.Now().Add(100 * time.Millisecond)) // for those that have connected
		return p.giveBack(own, !errors.Is(context.Cause(ctx), errServerEnded))
	}
	err = r.relayAll(ctx, listener, leave, func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", p.server)
	})
	if errors.Is(err, errServerEnded) {
		fmt.Fprintf(r.errs, "rxipc: %v\n", err)
		return nil
	}
	return err
}

// take listens at the public path in place of the server. At no moment is there nothing. The link
// keeps a second record out.
func (p place) take() (_ *net.UnixListener, own fs.FileInfo, err error) {
	before, err := os.Lstat(p.public)
	if err != nil {
		return nil, nil, err
	}
	if before.Mode().Type() != fs.ModeSocket {
		return nil, nil, fmt.Errorf("%s is no socket", p.public)
	}
	if err := os.Link(p.public, p.server); err != nil {
		if errors.Is(err, fs.ErrExist) {
			err = errRecorded
		}
		return nil, nil, err
	}
	os.Remove(p.ours)
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: p.ours})
	if err == nil {
		listener.SetUnlinkOnClose(false)
		err = errors.Join(sameGroup(p.ours, before), os.Chmod(p.ours, before.Mode().Perm()))
		if err == nil {
			own, err = os.Lstat(p.ours)
		}
		if err == nil {
			err = os.Rename(p.ours, p.public)
		}
		if err == nil {
			return listener, own, nil
		}
		listener.Close()
		os.Remove(p.ours)
	}
	os.Remove(p.server)
	return nil, nil, err
}

// giveBack puts the socket of a server that is alive back in its place, unless another one has that
// meanwhile. It removes the socket of a server that has ended.
func (p place) giveBack(own fs.FileInfo, alive bool) error {
	now, err := os.Lstat(p.public)
	ours := err == nil && os.SameFile(now, own)
	switch {
	case alive && (ours || errors.Is(err, fs.ErrNotExist)):
		return os.Rename(p.server, p.public)
	case ours:
		err = os.Remove(p.public)
	}
	return errors.Join(err, os.Remove(p.server))
}

// restore puts back a socket that a record which was killed has left in its hiding place.
func (r *recorder) restore(ctx context.Context) error {
	p := r.place(r.name)
	if _, err := os.Lstat(p.server); err != nil {
		return fmt.Errorf("restore %v: %w: no record has moved its socket", r.name, err)
	}
	limited, cancel := r.limited(ctx)
	defer cancel()
	listening, err := r.ipc().Dial(limited, r.name).Get()
	switch {
	case err == nil:
		listening.Close(limited)
		return fmt.Errorf("restore %v: a record or a server listens there; end the record with a signal, or remove %s if it is a new server", r.name, p.server)
	case !errors.Is(err, socket.ErrNotListening):
		return err
	}
	if err := os.Rename(p.server, p.public); err != nil {
		return err
	}
	fmt.Fprintf(r.errs, "rxipc: the socket of %v is back\n", r.name)
	return nil
}

// moved returns the names whose sockets a record has moved in a folder.
func moved(dir string) (names []string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if name, is := strings.CutSuffix(e.Name(), ".real"); is && strings.HasPrefix(name, ".") {
			names = append(names, name[1:])
		}
	}
	return names
}
