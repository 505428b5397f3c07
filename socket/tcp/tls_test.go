package tcp_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/internal/testcert"
	"github.com/rxipc/rxipc/socket/tcp"
)

// A certificate that is renewed while the program runs is used by the next handshake.
func TestLoadTLSNoticesANewCertificate(t *testing.T) {
	a := testcert.New(t)
	files := a.Files(t.TempDir(), "old.example.org")
	config, err := tcp.LoadTLS(files.Certificate, files.Key, files.Authorities)
	if err != nil {
		t.Fatalf("load the files: %v", err)
	}
	names := func() string {
		c, err := config.GetCertificate(nil)
		if err != nil {
			t.Fatalf("get the certificate: %v", err)
		}
		return c.Leaf.DNSNames[0]
	}
	if got := names(); got != "old.example.org" {
		t.Errorf("the first certificate: got the name %s, want old.example.org", got)
	}
	renewed := a.Files(t.TempDir(), "new.example.org")
	rename(t, renewed.Certificate, files.Certificate)
	if got := names(); got != "old.example.org" {
		t.Errorf("the certificate while the key is still the old one: got the name %s, want old.example.org", got)
	}
	rename(t, renewed.Key, files.Key)
	if got := names(); got != "new.example.org" {
		t.Errorf("the certificate after both files are new: got the name %s, want new.example.org", got)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatalf("replace a file: %v", err)
	}
	later := time.Now().Add(time.Hour) // though the files were made in the same moment
	if err := os.Chtimes(to, later, later); err != nil {
		t.Fatalf("change the time of a file: %v", err)
	}
}

func TestLoadTLSFails(t *testing.T) {
	files := testcert.New(t).Files(t.TempDir(), "client.example.org")
	missing := filepath.Join(t.TempDir(), "missing.pem")
	_, err := tcp.LoadTLS(missing, files.Key, files.Authorities)
	refused(t, "load a missing certificate", err, fs.ErrNotExist)
	_, err = tcp.LoadTLS(files.Certificate, files.Key, missing)
	refused(t, "load missing authorities", err, fs.ErrNotExist)
	_, err = tcp.LoadTLS(files.Certificate, files.Key, files.Key)
	refused(t, "load authorities from a file without one", err, socket.ErrInvalid)
	if !strings.Contains(err.Error(), files.Key) {
		t.Errorf("load authorities from a file without one: got %v, want an error that names the file", err)
	}
}
