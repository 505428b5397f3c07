//go:build unix

package faults

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/internal/testcert"
	"github.com/rxipc/rxipc/socket/tcp"
)

// The processes talk over TCP if their folder has these files, and over unix sockets otherwise.
const (
	names       = "names"
	certificate = "certificate.pem"
	key         = "key.pem"
	authorities = "authorities.pem"
)

func isTCP(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, names))
	return err == nil
}

// transportOf returns the transport of a process.
func transportOf(dir string) socket.Transport {
	if !isTCP(dir) {
		return socket.Unix{Dir: dir, Inherit: true}
	}
	path := func(name string) string { return filepath.Join(dir, name) }
	config, err := tcp.LoadTLS(path(certificate), path(key), path(authorities))
	if err != nil {
		panic(err)
	}
	return tcp.Transport{TLS: config, Directory: tcp.File(path(names)), Log: slog.New(slog.DiscardHandler)}
}

// setUpTCP makes the processes of a folder talk over TCP on the loopback interface.
func setUpTCP(t *testing.T, dir string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	l.Close()
	testcert.New(t).Files(dir, "victim.example.org")
	if err := os.WriteFile(filepath.Join(dir, names), fmt.Appendln(nil, victim, l.Addr()), 0o600); err != nil {
		t.Fatalf("write the file of names: %v", err)
	}
}
