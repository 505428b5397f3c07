package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// Time is the longest time that a visit takes.
const Time = time.Second

// limit is the longest message that a visit reads, in bytes. A server may push messages.
const limit = 1 << 20

// Visit checks that a server is behind conn, and closes conn. It awaits connection.start,
// answers with connection.start-ok and connection.close in one write, and awaits
// connection.close-ok. It ignores other frames. The end of file instead of
// connection.close-ok is no error, since the server was there.
//
// It fails with an error of conn, or with wire.ErrProtocol if the other side does not speak
// the protocol of a server. When Time is over, or ctx ends, it returns context.DeadlineExceeded or the
// cause of ctx.
func Visit(ctx context.Context, conn net.Conn) error {
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, Time)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := session(conn); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	return nil
}

// session goes through the whole session of a client without messages.
func session(conn net.Conn) error {
	reader := &wire.Reader{Limit: limit}
	defer reader.Release()
	first := wire.Frame{Kind: wire.KindHeartbeat} // an rxipc server begins with a heartbeat
	for first.Kind == wire.KindHeartbeat {
		var err error
		if first, err = reader.ReadFrame(conn); err != nil {
			return err
		}
	}
	if first.Kind != wire.KindStart {
		return fmt.Errorf("%w: received %s before %s", wire.ErrProtocol, first.Kind, wire.KindStart)
	}
	goodbye := wire.KindStartOK.Frame() + wire.KindClose.Frame()
	if _, err := io.WriteString(conn, goodbye); err != nil {
		return err
	}
	return awaitCloseOK(conn, reader)
}

// awaitCloseOK reads until the server agrees to close. It agrees with a server that asks to
// close at the same moment.
func awaitCloseOK(conn net.Conn, reader *wire.Reader) error {
	for {
		f, err := reader.ReadFrame(conn)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || f.Kind == wire.KindCloseOK {
			return err
		}
		if f.Kind != wire.KindClose {
			continue
		}
		if _, err := io.WriteString(conn, wire.KindCloseOK.Frame()); err != nil {
			return err
		}
	}
}
