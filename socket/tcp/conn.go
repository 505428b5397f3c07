package tcp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxipc/rxipc/socket"
)

// Conn is a connection of a [Transport]. Its Write differs from that of [tls.Conn]: after a
// deadline it can go on.
type Conn struct {
	*tls.Conn
	below *below
	peer  socket.Peer

	writing sync.Mutex
	ahead   int // bytes that TLS has taken, and that Write has not reported

	started bool // something was read; only Read uses it
}

// shake does the handshake of one side over a connection, which it closes if that fails.
func shake(ctx context.Context, raw net.Conn, config *tls.Config, side func(net.Conn, *tls.Config) *tls.Conn) (*Conn, error) {
	c := &Conn{below: &below{Conn: raw}}
	c.Conn = side(c.below, config)
	if err := c.HandshakeContext(ctx); err != nil {
		raw.Close()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	c.peer = socket.Peer{UID: -1, GID: -1, Names: namesOf(c.ConnectionState().PeerCertificates[0])}
	return c, nil
}

// namesOf returns the names in a certificate: of hosts, users, addresses and services, and the
// common name of its subject.
func namesOf(c *x509.Certificate) []string {
	names := slices.Concat(c.DNSNames, c.EmailAddresses)
	for _, address := range c.IPAddresses {
		names = append(names, address.String())
	}
	for _, uri := range c.URIs {
		names = append(names, uri.String())
	}
	if common := c.Subject.CommonName; common != "" && !slices.Contains(names, common) {
		names = append(names, common)
	}
	return names
}

// Peer returns the names in the certificate of the other side.
func (c *Conn) Peer() (socket.Peer, error) { return c.peer, nil }

// Read reads. If the server refuses this process's certificate, the first Read of a client fails
// with [socket.ErrRefused].
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.started && isAlert(err) {
		err = fmt.Errorf("%w: the server does not accept the certificate of this process: %w", socket.ErrRefused, err)
	}
	c.started = c.started || n > 0
	return n, err
}

// isAlert reports whether the other side has ended the connection because of a failure of TLS.
func isAlert(err error) bool {
	var failed *net.OpError
	return errors.As(err, &failed) && failed.Op == "remote error" // crypto/tls has no other sign of it
}

// longestRecord is how many bytes a record of TLS has at most.
const longestRecord = 16 << 10

// Write writes p. If it fails with os.ErrDeadlineExceeded after n bytes, the next Write must begin
// with the bytes that are left: TLS may have encrypted some of them already.
func (c *Conn) Write(p []byte) (n int, err error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	for {
		if err := c.below.drain(); err != nil {
			return n, err
		}
		known := min(c.ahead, len(p)-n)
		n, c.ahead = n+known, c.ahead-known
		if n == len(p) {
			return n, nil
		}
		part := p[n:min(len(p), n+longestRecord)]
		if _, err := c.Conn.Write(part); err != nil {
			return n, err
		}
		c.ahead = len(part)
	}
}

// Close closes the connection. It tells the other side, if that can be done at once.
func (c *Conn) Close() error {
	c.below.closing.Store(true)
	c.below.Conn.SetWriteDeadline(time.Unix(0, 1)) // ends a Write that waits
	return c.Conn.Close()
}

// below is the connection below TLS. A write of TLS never meets a deadline there, since a tls.Conn
// cannot write any more after one. The bytes that were not written in time stay until drain.
type below struct {
	net.Conn
	closing atomic.Bool

	mu      sync.Mutex
	pending []byte
}

// closeTime is how long Close waits until the last record can be written.
const closeTime = 5 * time.Millisecond

// SetWriteDeadline does nothing once the connection is being closed, for which tls.Conn would
// allow some seconds.
func (b *below) SetWriteDeadline(t time.Time) error {
	if b.closing.Load() {
		return nil
	}
	return b.Conn.SetWriteDeadline(t)
}

// Write takes all of p, and writes what can be written before the deadline.
func (b *below) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pending = append(b.pending, p...)
	if b.closing.Load() {
		b.Conn.SetWriteDeadline(time.Now().Add(closeTime))
	}
	if err := b.drainLocked(); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, err
	}
	return len(p), nil
}

// drain writes what is pending. It fails with os.ErrDeadlineExceeded if that is not done in time.
func (b *below) drain() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.drainLocked()
}

func (b *below) drainLocked() error {
	if len(b.pending) == 0 {
		return nil
	}
	n, err := b.Conn.Write(b.pending)
	b.pending = append(b.pending[:0], b.pending[n:]...)
	return err
}
