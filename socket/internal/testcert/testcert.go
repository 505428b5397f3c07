// Package testcert makes certificates for tests.
package testcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority signs certificates for the loopback interface.
type Authority struct {
	testing.TB
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	Pool        *x509.CertPool // with the certificate of the authority
}

// New returns a new authority. It fails t where that cannot be made.
func New(t testing.TB) Authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a := Authority{TB: t, Pool: x509.NewCertPool()}
	a.key = newKey(t)
	a.certificate = a.sign(template, template, a.key, a.key)
	a.Pool.AddCert(a.certificate)
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("make a key: %v", err)
	}
	return key
}

func (a Authority) sign(template, parent *x509.Certificate, key, by *ecdsa.PrivateKey) *x509.Certificate {
	a.Helper()
	encoded, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		a.Fatalf("sign a certificate: %v", err)
	}
	signed, err := x509.ParseCertificate(encoded)
	if err != nil {
		a.Fatalf("parse a certificate: %v", err)
	}
	return signed
}

// Files is the paths of the files of one process, in PEM form.
type Files struct {
	Certificate string // and those between it and the authority, of which there are none
	Key         string // of the certificate
	Authorities string // the certificate of the authority
}

// Files writes a certificate for the host, and for the loopback interface, into the folder.
func (a Authority) Files(folder, host string) Files {
	a.Helper()
	key := newKey(a.TB)
	signed := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{host, "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, a.certificate, key, a.key)
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.Fatalf("encode a key: %v", err)
	}
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			a.Fatalf("write a file: %v", err)
		}
		return path
	}
	return Files{
		write("certificate.pem", "CERTIFICATE", signed.Raw),
		write("key.pem", "PRIVATE KEY", encoded),
		write("authorities.pem", "CERTIFICATE", a.certificate.Raw),
	}
}
