package tcp

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rxipc/rxipc/socket"
)

// LoadTLS returns a configuration for both sides, from files in PEM form: the certificate of this
// process, with those between it and the authority, its private key, and the certificates of the
// authorities that signed the other side's. A handshake after the certificate's file has changed
// uses the new certificate, so that a certificate can be renewed while the program runs. Replace
// the key first. While the new files do not fit together, the old certificate is used.
func LoadTLS(certificate, key, authorities string) (*tls.Config, error) {
	pair := &pairFile{certificate: certificate, key: key}
	if err := pair.load(); err != nil {
		return nil, fmt.Errorf("tcp: load the certificate: %w", err)
	}
	content, err := os.ReadFile(authorities)
	if err != nil {
		return nil, fmt.Errorf("tcp: load the authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("tcp: load the authorities: %w: no certificate in %s", socket.ErrInvalid, authorities)
	}
	return &tls.Config{
		GetCertificate:       func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.get(), nil },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair.get(), nil },
		RootCAs:              pool,
		ClientCAs:            pool,
		MinVersion:           tls.VersionTLS13,
	}, nil
}

// pairFile is a certificate and its key in files.
type pairFile struct {
	certificate, key string

	mu      sync.Mutex
	changed time.Time // of the certificate's file when it was loaded
	loaded  tls.Certificate
}

// get returns the certificate, and loads it again if its file has changed.
func (p *pairFile) get() *tls.Certificate {
	p.mu.Lock()
	defer p.mu.Unlock()
	if info, err := os.Stat(p.certificate); err == nil && !info.ModTime().Equal(p.changed) {
		_ = p.load() // the files may be about to be replaced; the next handshake tries again
	}
	loaded := p.loaded
	return &loaded
}

func (p *pairFile) load() error {
	info, err := os.Stat(p.certificate)
	if err != nil {
		return err
	}
	loaded, err := tls.LoadX509KeyPair(p.certificate, p.key)
	if err != nil {
		return err
	}
	p.loaded, p.changed = loaded, info.ModTime()
	return nil
}

var errNoTLS = fmt.Errorf("%w: tcp.Transport has no TLS configuration; LoadTLS makes one of files", socket.ErrInvalid)

// clientTLS returns the configuration of a client.
func (t Transport) clientTLS() (*tls.Config, error) {
	if t.TLS == nil {
		return nil, errNoTLS
	}
	return t.modern(), nil
}

// serverTLS returns the configuration of a server, which asks for a certificate.
func (t Transport) serverTLS() (*tls.Config, error) {
	if t.TLS == nil {
		return nil, errNoTLS
	}
	config := t.modern()
	if config.ClientCAs == nil {
		config.ClientCAs = config.RootCAs
	}
	if config.ClientCAs == nil {
		return nil, fmt.Errorf("%w: tcp.Transport.TLS has neither ClientCAs nor RootCAs, so everyone with a certificate "+
			"of one of the system's authorities could connect", socket.ErrInvalid)
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	return config, nil
}

// modern returns a copy of TLS whose lowest version is set.
func (t Transport) modern() *tls.Config {
	config := t.TLS.Clone()
	if config.MinVersion == 0 {
		config.MinVersion = tls.VersionTLS13
	}
	return config
}
