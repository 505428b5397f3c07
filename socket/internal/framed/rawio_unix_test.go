//go:build unix

package framed

import (
	"bytes"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// smallBuffer is the size of the buffer that a wire.Reader has for short frames.
const smallBuffer = 4 << 10

func text(content string) wire.Message {
	return wire.Message{MediaType: wire.TextPlain, Content: content}
}

// frames encodes texts.
func frames(contents ...string) (out []byte) {
	for _, content := range contents {
		out = wire.AppendFrame(out, text(content))
	}
	return out
}

// unixPair returns the two ends of a unix socket.
func unixPair(t *testing.T) (a, b net.Conn) {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatalf("listen on a unix socket: %v", err)
	}
	defer listener.Close()
	if a, err = net.Dial("unix", listener.Addr().String()); err != nil {
		t.Fatalf("dial the unix socket: %v", err)
	}
	if b, err = listener.Accept(); err != nil {
		t.Fatalf("accept the connection: %v", errors.Join(err, a.Close()))
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestReaderThatWaitsForASocketHoldsNoBuffer(t *testing.T) {
	ours, theirs := unixPair(t)
	reader, src := &wire.Reader{Limit: 1 << 20}, newRawIO(ours).(*socketIO)
	looked := false // whether there is something to read; not if the deadline passed before
	src.tryReadFD = func(descriptor uintptr) bool { looked = true; return src.readFD(descriptor) }
	wait := func() {
		t.Helper()
		for looked = false; !looked; {
			ours.SetReadDeadline(time.Now().Add(time.Millisecond))
			if err := src.readOnce(reader); !wire.IsTimeout(err) {
				t.Fatalf("fill where nothing comes: %v, want a timeout", err)
			}
		}
	}
	size := func() int { _, size := reader.Buffered(); return size }
	wait()
	if size() > 0 {
		t.Error("it holds a buffer before the first byte")
	}
	theirs.Write(append(frames("one", "two"), 0))
	ours.SetReadDeadline(time.Time{})
	for range 2 {
		if f, err := mustFill(src, reader); err != nil || f.Kind != wire.KindMessage {
			t.Errorf("read one of two messages: got %v, %v", f, err)
		}
	}
	if _, ok, _ := reader.Next(); ok {
		t.Error("decode after two frames and a byte: got a third frame")
	}
	wait()
	if size() != smallBuffer {
		t.Errorf("a byte is held in a buffer of %d", size())
	}
	theirs.Write(frames("three")[1:])
	ours.SetReadDeadline(time.Time{})
	if f, err := mustFill(src, reader); err != nil || f.Message != text("three") {
		t.Errorf("read the rest of the third message: got %v, %v", f, err)
	}
	wait()
	if size() > 0 {
		t.Error("it holds a buffer after the last byte")
	}
	theirs.Close()
	ours.SetReadDeadline(time.Time{})
	if err := src.readOnce(reader); err != io.EOF {
		t.Errorf("read after the other side closed: got %v, want io.EOF", err)
	}
}

func TestBurstIsReadAtOnceAndALongContentToItsPlace(t *testing.T) {
	ours, theirs := unixPair(t)
	reader, src := &wire.Reader{Limit: 1 << 20}, newRawIO(ours)
	fill := func(what string, wantBuffered int) {
		t.Helper()
		if err := src.readOnce(reader); err != nil {
			t.Fatalf("%s: read: %v", what, err)
		}
		if buffered, _ := reader.Buffered(); buffered != wantBuffered {
			t.Errorf("%s: one read brought %d bytes into the buffer, want %d", what, buffered, wantBuffered)
		}
	}
	drain := func() {
		for ok := true; ok; {
			var err error
			if _, ok, err = reader.Next(); err != nil {
				t.Fatalf("decode what was read: %v", err)
			}
		}
	}
	theirs.Write(frames("one"))
	fill("a short frame", len(frames("one")))
	if _, size := reader.Buffered(); size != smallBuffer {
		t.Errorf("a short frame is handled in a buffer of %d", size)
	}
	drain()
	burst := bytes.Repeat(frames("one"), 1000)
	long := frames(strings.Repeat("x", 3*smallBuffer))
	theirs.Write(burst)
	fill("a burst", len(burst))
	drain()
	theirs.Write(long)
	fill("the first long frame", len(long))
	drain()
	theirs.Write(long)
	fill("the next one", smallBuffer)
	drain()
	fill("its rest", 0)
	drain()
	if reader.Decoded() != 1003 {
		t.Error(reader.Decoded(), "frames")
	}
}

// mustFill returns the next frame, reading as often as it takes.
func mustFill(src rawIO, reader *wire.Reader) (wire.Frame, error) {
	for {
		if f, ok, err := reader.Next(); ok || err != nil {
			return f, err
		}
		if err := src.readOnce(reader); err != nil {
			return wire.Frame{}, err
		}
	}
}

func TestTryWriteWritesWhatGoesAtOnce(t *testing.T) {
	ours, theirs := unixPair(t)
	src := newRawIO(ours)
	var o wire.Output
	large := text(string(make([]byte, 4<<20)))
	o.AddMessage(large)
	ours.SetWriteDeadline(longAgo) // of a context that has ended
	n, err := src.tryWrite(&o, &contextDeadline{set: ours.SetWriteDeadline})
	if n == 0 || n == o.Len() || err != nil {
		t.Errorf("try to write %d bytes: got %d, %v, want a part of them and no error", o.Len(), n, err)
	}
	got := make([]byte, n)
	if _, err := io.ReadFull(theirs, got); err != nil || string(got) != string(wire.AppendFrame(nil, large)[:n]) {
		t.Error(err, "or other bytes")
	}
}
