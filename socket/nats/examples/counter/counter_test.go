//go:build unix

package main

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rxipc/rxipc/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

func TestStoryCountsAcrossAKill(t *testing.T) {
	temp := programtest.Dir(t)
	programtest.Start(t, temp).Wait().Expect(t, 0,
		"listening on counter",
		"20 messages are acknowledged, and the server is killed",
		"listening on counter",
		"counter: 42",
	)
	programtest.IsEmpty(t, temp)
}

func TestServerCountsOnAfterAKillAndASignal(t *testing.T) {
	dir := programtest.Dir(t)
	serve := func() *programtest.Program {
		server := programtest.Start(t, "", "serve", "-dir", dir, "-journal", filepath.Join(dir, "journal"))
		server.Await("listening on counter")
		return server
	}
	server := serve()
	programtest.Run(t, "send", "-dir", dir, "-n", "20", "hello world").Expect(t, 0)
	server.Signal(syscall.SIGKILL)
	server.Wait()

	server = serve()
	programtest.Run(t, "send", "-dir", dir, "-n", "10", "hello world").Expect(t, 0)
	server.Signal(syscall.SIGTERM)
	server.Wait().Expect(t, 143, "counter: 30")

	server = serve()
	programtest.Run(t, "send", "-dir", dir, "-n", "12", "hello world").Expect(t, 0)
	server.Wait().Expect(t, 0, "counter: 42")
	programtest.Run(t, "serve", "-dir", dir, "-journal", filepath.Join(dir, "journal")).Expect(t, 0, "counter: 42")
}
