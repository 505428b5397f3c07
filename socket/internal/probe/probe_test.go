package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// probed runs Visit against serve, and returns the errors of both.
func probed(ctx context.Context, serve func(conn net.Conn) error) (probeErr, serveErr error) {
	ours, theirs := net.Pipe()
	served := make(chan error, 1)
	go func() {
		defer theirs.Close()
		served <- serve(theirs)
	}()
	probeErr = Visit(ctx, ours)
	return probeErr, <-served
}

// sendControls writes control messages in one write.
func sendControls(conn net.Conn, kinds ...wire.Kind) error {
	var out []byte
	for _, k := range kinds {
		out = append(out, k.Frame()...)
	}
	_, err := conn.Write(out)
	return err
}

// expectControls reads control messages that came in one write.
func expectControls(conn net.Conn, kinds ...wire.Kind) error {
	var want []byte
	for _, k := range kinds {
		want = append(want, k.Frame()...)
	}
	got := make([]byte, len(want)+1)
	n, err := conn.Read(got)
	if err == nil && !slices.Equal(got[:n], want) {
		return fmt.Errorf("received %q, want %q", got[:n], want)
	}
	return err
}

func TestVisitGoesThroughAWholeSession(t *testing.T) {
	probeErr, serveErr := probed(t.Context(), func(conn net.Conn) error {
		return errors.Join(
			sendControls(conn, wire.KindStart, wire.KindHeartbeat),
			expectControls(conn, wire.KindStartOK, wire.KindClose),
			sendControls(conn, wire.KindHeartbeat),
			writeMessage(conn, "pushed to everybody"),
			sendControls(conn, wire.KindCloseOK),
			expectEnd(conn),
		)
	})
	if probeErr != nil || serveErr != nil {
		t.Errorf("Visit: got %v, and %v at the server, want no error", probeErr, serveErr)
	}
}

func writeMessage(conn net.Conn, content string) error {
	_, err := conn.Write(wire.AppendFrame(nil, wire.Message{MediaType: wire.TextPlain, Content: content}))
	return err
}

func expectEnd(conn net.Conn) error {
	if n, err := conn.Read(make([]byte, 1)); n > 0 || err != io.EOF {
		return fmt.Errorf("read after the session: got %d bytes, %v, want io.EOF", n, err)
	}
	return nil
}

func TestVisitAgreesToAServerThatCloses(t *testing.T) {
	probeErr, serveErr := probed(t.Context(), func(conn net.Conn) error {
		return errors.Join(
			sendControls(conn, wire.KindStart),
			expectControls(conn, wire.KindStartOK, wire.KindClose),
			sendControls(conn, wire.KindClose),
			expectControls(conn, wire.KindCloseOK),
			conn.Close(),
		)
	})
	if probeErr != nil || serveErr != nil {
		t.Errorf("Visit: got %v, and %v at the server, want no error", probeErr, serveErr)
	}
}

func TestVisitFailsWithoutAServer(t *testing.T) {
	for name, test := range map[string]struct {
		serve func(net.Conn) error
		want  error
	}{
		"another kind of frame": {func(c net.Conn) error { return sendControls(c, wire.KindHeartbeat, wire.KindCloseOK) }, wire.ErrProtocol},
		"a message first":       {func(c net.Conn) error { return writeMessage(c, "hi") }, wire.ErrProtocol},
		"another protocol":      {func(c net.Conn) error { _, err := c.Write([]byte("\x00\x03220 smtp ready")); return err }, wire.ErrProtocol},
		"nothing":               {func(c net.Conn) error { return nil }, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			if err, _ := probed(t.Context(), test.serve); !errors.Is(err, test.want) {
				t.Errorf("Visit: got %v, want %v", err, test.want)
			}
		})
	}
}

func TestVisitIsBoundedByItsContextAndASecond(t *testing.T) {
	for name, serve := range map[string]func(conn net.Conn, probed <-chan struct{}) error{
		"is silent": func(conn net.Conn, _ <-chan struct{}) error { return expectEnd(conn) },
		"never agrees to close": func(conn net.Conn, _ <-chan struct{}) error {
			return errors.Join(
				sendControls(conn, wire.KindStart),
				expectControls(conn, wire.KindStartOK, wire.KindClose),
				expectEnd(conn),
			)
		},
		"does not read": func(conn net.Conn, probed <-chan struct{}) error {
			err := sendControls(conn, wire.KindStart)
			<-probed
			return err
		},
	} {
		for _, limit := range []time.Duration{Time / 4, time.Hour} {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				start := time.Now()
				ours, theirs := net.Pipe()
				served, probed := make(chan error, 1), make(chan struct{})
				go func() { served <- serve(theirs, probed) }()
				err := Visit(ctx, ours)
				close(probed)
				if want := min(limit, Time); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != want {
					t.Errorf("Visit of a server that %s with a context of %v: got %v after %v, want context.DeadlineExceeded after %v", name, limit, err, time.Since(start), want)
				}
				if err := <-served; err != nil {
					t.Errorf("server that %s: got %v, want no error", name, err)
				}
			})
		}
	}
}
