package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// probeTime is how long a server may take to answer a probe.
const probeTime = time.Second

// probeLimit bounds the messages a probe reads past: a server may push some.
const probeLimit = 1 << 20

// probe checks that a server is behind conn, and closes conn. It goes through a
// whole session: it awaits connection.start, answers with connection.start-ok and
// connection.close in one write, and awaits connection.close-ok, passing over what
// else the server sends. An end of file in its place is good, too: the server was
// there. The context bounds all of it; when it ends first its cause is returned.
//
// The ceremony is for the server's sake: innmind/ipc 4.4 forgets its carry when a
// client just hangs up, and 5.0 ends with an error.
func probe(ctx context.Context, conn net.Conn) error {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(longAgo) })
	defer stop()
	if err := probeSession(conn); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	return nil
}

func probeSession(conn net.Conn) error {
	reader := wire.NewReader(probeLimit)
	defer reader.Release()
	first := wire.Frame{Kind: wire.KindHeartbeat} // the mark of a server of ours, and whatever PHP passes over
	for first.Kind == wire.KindHeartbeat {
		var err error
		if first, err = reader.ReadFrame(conn); err != nil {
			return err
		}
	}
	if first.Kind != wire.KindStart {
		return fmt.Errorf("%w: %s came before %s", ErrProtocol, first.Kind, wire.KindStart)
	}
	goodbye := wire.AppendControl(wire.AppendControl(nil, wire.KindStartOK), wire.KindClose)
	if _, err := conn.Write(goodbye); err != nil {
		return err
	}
	return awaitCloseOK(conn, reader)
}

// awaitCloseOK reads until the server agrees to close. A server that wants to close
// at the same moment is told that it may.
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
		if _, err := conn.Write(wire.AppendControl(nil, wire.KindCloseOK)); err != nil {
			return err
		}
	}
}
