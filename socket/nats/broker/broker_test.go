package broker_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats/broker"
)

func start(t *testing.T, folder string) *broker.Broker {
	t.Helper()
	b, err := broker.Start(folder)
	if err != nil {
		t.Fatalf("start a broker: %v", err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func connect(t *testing.T, b *broker.Broker) *nats.Conn {
	t.Helper()
	conn, err := b.Connect()
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(conn.Close)
	return conn
}

func TestBrokerKeepsWhatIsStored(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "made", "by Start")
	first := start(t, folder)
	js, err := connect(t, first).JetStream()
	if err != nil {
		t.Fatalf("use JetStream: %v", err)
	}
	if _, err := js.AddStream(&nats.StreamConfig{Name: "S", Subjects: []string{"s"}}); err != nil {
		t.Fatalf("add a stream: %v", err)
	}
	if _, err := js.Publish("s", []byte("kept")); err != nil {
		t.Fatalf("publish: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Errorf("close the broker: got %v", err)
	}
	if js, err = connect(t, start(t, folder)).JetStream(); err != nil {
		t.Fatalf("use JetStream: %v", err)
	}
	got, err := js.GetMsg("S", 1)
	if err != nil || string(got.Data) != "kept" {
		t.Errorf("get the message from the next broker of the folder: got %v, %v, want kept", got, err)
	}
}

func TestBrokerLocksItsFolder(t *testing.T) {
	folder := t.TempDir()
	first := start(t, folder)
	if _, err := broker.Start(folder); !errors.Is(err, socket.ErrInUse) {
		t.Errorf("start a second broker in a folder: got %v, want socket.ErrInUse", err)
	}
	if err := errors.Join(first.Close(), first.Close()); err != nil {
		t.Errorf("close the broker twice: got %v", err)
	}
	start(t, folder)
}

func TestBrokerWithoutFolderHasNoJetStream(t *testing.T) {
	conn := connect(t, start(t, ""))
	js, err := conn.JetStream()
	if err != nil {
		t.Fatalf("use JetStream: %v", err)
	}
	if _, err := js.AccountInfo(); err == nil {
		t.Error("ask for JetStream without a folder: got an answer, want an error")
	}
}

func TestBrokerTellsWhyItCannotStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatalf("write a file: %v", err)
	}
	if _, err := broker.Start(file); err == nil {
		t.Error("start a broker in a file: got no error")
	}

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	defer taken.Close()
	_, err = broker.Start("", func(o *server.Options) {
		o.DontListen, o.Host, o.Port = false, "127.0.0.1", taken.Addr().(*net.TCPAddr).Port
		o.NoLog = true
	})
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("start a broker at a port in use: got %v, want an error that says so", err)
	}
}

func TestBrokerIsClosedByTwoGoroutines(t *testing.T) {
	folder := t.TempDir()
	b, err := broker.Start(folder)
	if err != nil {
		t.Fatalf("start a broker: %v", err)
	}
	var closing sync.WaitGroup
	for range 2 {
		closing.Go(func() {
			if err := b.Close(); err != nil {
				t.Errorf("close the broker beside another goroutine: got %v, want no error", err)
			}
		})
	}
	closing.Wait()
	if b, err = broker.Start(folder); err != nil {
		t.Fatalf("start a broker in the folder of one that was closed: %v", err)
	}
	b.Close()
}
