package tcp_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"testing"

	"github.com/rxipc/rxipc/socket/internal/testcert"
	"github.com/rxipc/rxipc/socket/tcp"
)

// load returns the configuration of a process with the host's name.
func load(a testcert.Authority, host string) *tls.Config {
	a.Helper()
	files := a.Files(a.TempDir(), host)
	config, err := tcp.LoadTLS(files.Certificate, files.Key, files.Authorities)
	if err != nil {
		a.Fatalf("load the files: %v", err)
	}
	return config
}

// outside takes the place of a test where there is none: in examples.
type outside struct{ testing.TB }

func (outside) Helper() {}

func (outside) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (o outside) TempDir() string {
	folder, err := os.MkdirTemp("", "rxipc-tcp-")
	if err != nil {
		o.Fatalf("make a folder: %v", err)
	}
	return folder
}

// certificateForExample returns a configuration for both sides of an example.
func certificateForExample() *tls.Config { return load(testcert.New(outside{}), "client.example.org") }

// freeTable has a free port for each of the names.
func freeTable(t testing.TB) tcp.Table {
	table := tcp.Table{}
	for _, name := range []string{"one", "two", "counter"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatalf("find a free port: %v", err)
		}
		defer l.Close() // after all ports are found, so that they differ
		table[name] = []string{l.Addr().String()}
	}
	return table
}
