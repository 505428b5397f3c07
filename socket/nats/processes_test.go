package nats_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	natsio "github.com/nats-io/nats.go"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats"
)

// The test binary plays a part in the tests as another process if these are set.
const (
	roleVariable    = "RXIPC_NATS_ROLE"
	brokersVariable = "RXIPC_NATS_BROKERS" // URLs
)

func TestMain(m *testing.M) {
	role := strings.Fields(os.Getenv(roleVariable))
	if len(role) == 0 {
		os.Exit(m.Run())
	}
	if err := play(role[0], role[1:]); err != nil {
		fmt.Fprintln(os.Stderr, role, "failed:", err)
		os.Exit(1)
	}
}

// play plays a part until the parent closes the standard input.
func play(role string, args []string) error {
	ctx, end := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		end()
	}()
	switch role {
	case "broker":
		return playBroker(ctx, args)
	case "server":
		return playServer(ctx, args)
	case "client":
		return playClient(ctx, args)
	case "dialer":
		return playDialer(ctx)
	case "listener":
		return playListener(ctx)
	}
	return fmt.Errorf("unknown role")
}

// processTransport returns the transport of a process.
func processTransport(config nats.Config) (socket.Transport, *natsio.Conn) {
	conn, err := natsio.Connect(os.Getenv(brokersVariable), natsio.RetryOnFailedConnect(true),
		natsio.MaxReconnects(-1), natsio.ReconnectWait(20*time.Millisecond), natsio.Timeout(time.Second))
	if err != nil {
		panic(err)
	}
	return nats.Transport(conn, config), conn
}

// process is a process that plays a part.
type process struct {
	*testing.T
	*exec.Cmd
	what string
	stop io.Closer
	said *bufio.Scanner
}

func start(t *testing.T, brokers string, role ...string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+strings.Join(role, " "), brokersVariable+"="+brokers)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatalf("make a pipe: %v", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("make a pipe: %v", err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %v: %v", role, err)
	}
	p := &process{t, cmd, strings.Join(role, " "), in, bufio.NewScanner(out)}
	t.Cleanup(func() { p.kill() })
	return p
}

// says waits for a line of the process.
func (p *process) says(line string) {
	p.Helper()
	if !p.said.Scan() || p.said.Text() != line {
		p.Fatalf("wait for %s to say %s: got %q, %v", p.what, line, p.said.Text(), p.said.Err())
	}
}

// kill kills the process with SIGKILL.
func (p *process) kill() {
	p.Process.Kill()
	p.Wait()
}

// end lets the process end by itself.
func (p *process) end() {
	p.stop.Close()
	if err := p.Wait(); err != nil {
		p.Errorf("end of %s: got %v, want none", p.what, err)
	}
}

func playDialer(ctx context.Context) error {
	transport, _ := processTransport(nats.Config{})
	conn, err := transport.Dial(ctx, counter)
	if err != nil {
		return err
	}
	conn.Write([]byte("hello"))
	<-ctx.Done()
	return nil
}

func playListener(ctx context.Context) error {
	transport, _ := processTransport(nats.Config{})
	l, err := transport.Listen(ctx, counter)
	if err != nil {
		return err
	}
	fmt.Println("listens")
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	conn.Write([]byte("hello"))
	<-ctx.Done()
	return nil
}

func TestConnCutByAKilledClient(t *testing.T) {
	b := startBroker(t, onLoopback)
	l := listen(t, nats.Transport(dial(t, b.Server().ClientURL()), nats.Config{KeepAlive: time.Second}), counter)
	client := start(t, b.Server().ClientURL(), "dialer")
	conn, err := l.Accept()
	if err != nil {
		t.Fatalf("accept: %v", err)
	}
	killedAfterHello(t, conn, client)
}

func TestConnCutByAKilledServer(t *testing.T) {
	b := startBroker(t, onLoopback)
	server := start(t, b.Server().ClientURL(), "listener")
	server.says("listens")
	transport := nats.Transport(dial(t, b.Server().ClientURL()), nats.Config{KeepAlive: time.Second})
	conn, err := transport.Dial(t.Context(), counter)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	killedAfterHello(t, conn, server)
	listen(t, transport, counter) // the name is free
}

// killedAfterHello kills the process at the other end of a session, which then ends.
func killedAfterHello(t *testing.T, conn net.Conn, other *process) {
	t.Helper()
	defer conn.Close()
	got := make([]byte, len("hello"))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != "hello" {
		t.Fatalf("read from another process: got %q, %v, want hello", got, err)
	}
	other.kill()
	readFails(t, "read after the other process was killed", conn, syscall.ECONNRESET)
	_, err := conn.Write([]byte("x"))
	fails(t, "write after the other process was killed", err, syscall.ECONNRESET)
}
