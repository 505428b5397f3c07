package tcp

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"syscall"
	"time"

	"github.com/rxipc/rxipc/socket"
)

// Transport is a [socket.Transport] over TCP with mutual TLS.
type Transport struct {
	// TLS has the certificate of this process and the authorities it trusts; see [LoadTLS].
	// Servers need ClientCAs or RootCAs, since everyone with a certificate of one of the
	// system's authorities could connect otherwise. The lowest version is TLS 1.3 unless
	// MinVersion is set. Servers always ask for a certificate.
	TLS *tls.Config

	// Directory has the addresses of the names.
	Directory Directory

	// Host is the host or address at which servers listen, with the port of the name's first
	// address. Empty means the first address of the name that belongs to this machine. It is
	// needed where clients reach the server by another address, as in a container.
	Host string

	// HandshakeTimeout limits the handshake of TLS at both sides; by default it is 10
	// seconds. At a server up to 128 handshakes are in progress at the same time, others
	// wait.
	HandshakeTimeout time.Duration

	// Log gets a line at level Warn for each client whose handshake failed; nil means
	// slog.Default.
	Log *slog.Logger
}

var _ socket.Transport = Transport{}

const defaultHandshakeTimeout = 10 * time.Second

func (t Transport) handshakeTimeout() time.Duration {
	return cmp.Or(max(t.HandshakeTimeout, 0), defaultHandshakeTimeout)
}

// Listen listens at an address of the name. It fails with [socket.ErrInUse] when another socket
// has the address, and with [socket.ErrInvalid] when the directory has no address for the name,
// none of this machine, or when TLS cannot be used by a server.
func (t Transport) Listen(ctx context.Context, name socket.Name) (net.Listener, error) {
	l, err := t.listen(ctx, name)
	if err != nil {
		return nil, &socket.Error{Op: "listen", Name: name.String(), Err: err}
	}
	return l, nil
}

func (t Transport) listen(ctx context.Context, name socket.Name) (net.Listener, error) {
	config, err := t.serverTLS()
	if err != nil {
		return nil, err
	}
	addresses, err := t.addresses(ctx, name)
	if err != nil {
		return nil, err
	}
	if len(addresses) == 0 {
		return nil, fmt.Errorf("%w: the directory has no address for the name", socket.ErrInvalid)
	}
	if t.Host != "" {
		_, port, err := net.SplitHostPort(addresses[0])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", socket.ErrInvalid, err)
		}
		addresses = []string{net.JoinHostPort(t.Host, port)}
	}
	var failed error
	for _, address := range addresses {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
		if err == nil {
			return newListener(l, config, t), nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, listenFailure(ctx, failed)
}

// listenFailure adds the sentinel that fits to why no address could be listened at.
func listenFailure(ctx context.Context, err error) error {
	var dns *net.DNSError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case isErrno(err, syscall.EADDRINUSE, 10048):
		return fmt.Errorf("%w: %w", socket.ErrInUse, err)
	case isErrno(err, syscall.EADDRNOTAVAIL, 10049), errors.As(err, &dns):
		return fmt.Errorf("%w: none of the addresses belongs to this machine (see Transport.Host): %w", socket.ErrInvalid, err)
	}
	return err
}

// isErrno reports whether err comes of a system error, whose number on Windows is windows.
func isErrno(err error, number, windows syscall.Errno) bool {
	return errors.Is(err, number) || runtime.GOOS == "windows" && errors.Is(err, windows)
}

// Dial connects to the server at one of the addresses of the name, in their order. It fails with
// [socket.ErrNotListening] if no server can be reached, for whatever reason; with
// [socket.ErrUntrusted] if the server's certificate is not accepted; with [socket.ErrRefused] if
// the server does not accept this process's certificate, which may show later, when something
// is read; with [socket.ErrProtocol] if the server does not speak TLS.
func (t Transport) Dial(ctx context.Context, name socket.Name) (net.Conn, error) {
	conn, err := t.dial(ctx, name)
	if err != nil {
		return nil, &socket.Error{Op: "dial", Name: name.String(), Err: err}
	}
	return conn, nil
}

func (t Transport) dial(ctx context.Context, name socket.Name) (net.Conn, error) {
	config, err := t.clientTLS()
	if err != nil {
		return nil, err
	}
	addresses, err := t.addresses(ctx, name)
	if err != nil {
		return nil, err
	}
	failed := fmt.Errorf("%w: the directory has no address for the name", socket.ErrNotListening)
	for i, address := range addresses {
		conn, err := t.dialAddress(ctx, address, config)
		switch {
		case err == nil:
			return conn, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case i == 0:
			failed = err
		default:
			failed = fmt.Errorf("%w; %w", failed, err)
		}
	}
	return nil, failed
}

// dialAddress connects to one address.
func (t Transport) dialAddress(ctx context.Context, address string, config *tls.Config) (net.Conn, error) {
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", socket.ErrNotListening, err)
	}
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName, _, _ = net.SplitHostPort(address) // Dial has accepted the address
	}
	ctx, cancel := context.WithTimeout(ctx, t.handshakeTimeout())
	defer cancel()
	conn, err := shake(ctx, raw, config, tls.Client)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, handshakeFailure(err))
	}
	return conn, nil
}

// handshakeFailure adds the sentinel that fits to why a client's handshake failed.
func handshakeFailure(err error) error {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &certificate):
		return fmt.Errorf("%w: %w", socket.ErrUntrusted, err)
	case isAlert(err):
		return fmt.Errorf("%w: %w", socket.ErrRefused, err)
	case errors.As(err, &record):
		return fmt.Errorf("%w: the server does not speak TLS: %w", socket.ErrProtocol, err)
	}
	return fmt.Errorf("%w: no handshake of TLS: %w", socket.ErrNoHandshake, err)
}

// Names returns the names in the directory, in order, whether a server listens there or not. It
// fails with errors.ErrUnsupported if the directory cannot be listed.
func (t Transport) Names(ctx context.Context) ([]socket.Name, error) {
	names, err := t.names(ctx)
	if err != nil {
		return nil, &socket.Error{Op: "names", Err: err}
	}
	return names, nil
}

func (t Transport) names(ctx context.Context) ([]socket.Name, error) {
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case t.Directory == nil:
		return nil, errNoDirectory
	}
	return t.Directory.Names(ctx)
}

var errNoDirectory = fmt.Errorf("%w: tcp.Transport has no Directory", socket.ErrInvalid)

// addresses returns the addresses of a name.
func (t Transport) addresses(ctx context.Context, name socket.Name) ([]string, error) {
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case name.IsZero():
		return nil, fmt.Errorf("%w: the name is empty", socket.ErrInvalid)
	case t.Directory == nil:
		return nil, errNoDirectory
	}
	addresses, err := t.Directory.Addresses(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("look up the addresses: %w", err)
	}
	return addresses, nil
}
