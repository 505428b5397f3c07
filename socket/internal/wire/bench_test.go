package wire

import (
	"io"
	"strings"
	"testing"
)

// endless is a reader that repeats the same bytes forever.
type endless struct {
	data []byte
	at   int
}

func (e *endless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		copied := copy(p[n:], e.data[e.at:])
		n += copied
		e.at = (e.at + copied) % len(e.data)
	}
	return n, nil
}

// mustNext returns the next frame, and reads from src if necessary.
func mustNext(tb testing.TB, reader *Reader, src io.Reader) Frame {
	f, err := reader.ReadFrame(src)
	if err != nil {
		tb.Fatalf("read a good frame: got %v, want nil", err)
	}
	return f
}

func TestReaderAllocatesTheContentOnly(t *testing.T) {
	for name, test := range map[string]struct {
		frame []byte
		want  float64
	}{
		"text":         {AppendFrame(nil, text("hello world")), 1},
		"json":         {AppendFrame(nil, newMessage(JSON, "{ }")), 1},
		"one of ours":  {AppendFrame(nil, newMessage(canonical("text/x; a=b"), "hello")), 1},
		"as long":      {AppendFrame(nil, text(strings.Repeat("x", maxControl))), 1},
		"large":        {AppendFrame(nil, text(strings.Repeat("x", 10*readSize))), 1},
		"empty":        {AppendFrame(nil, text("")), 0},
		"control":      {[]byte(KindReceived.Frame()), 0},
		"long control": {[]byte(KindStartOK.Frame()), 0},
	} {
		t.Run(name, func(t *testing.T) {
			reader, src := &Reader{Limit: 1 << 20}, &endless{data: test.frame}
			mustNext(t, reader, src)
			allocations := testing.AllocsPerRun(200, func() { mustNext(t, reader, src) })
			if allocations != test.want {
				t.Errorf("read a frame: got %v allocations, want %v", allocations, test.want)
			}
		})
	}
}

var benchmarkSizes = []struct {
	name  string
	bytes int
}{{"64B", 64}, {"1KiB", 1 << 10}, {"64KiB", 64 << 10}}

func BenchmarkReader(b *testing.B) {
	run := func(name string, encoded []byte) {
		b.Run(name, func(b *testing.B) {
			reader, src := &Reader{Limit: 1 << 20}, &endless{data: encoded}
			b.SetBytes(int64(len(encoded)))
			b.ReportAllocs()
			for b.Loop() {
				mustNext(b, reader, src)
			}
		})
	}
	run("control", []byte(KindReceived.Frame()))
	for _, size := range benchmarkSizes {
		run(size.name, AppendFrame(nil, text(strings.Repeat("x", size.bytes))))
	}
}

func TestAppendFrameAllocatesNothingWhenThereIsRoom(t *testing.T) {
	buffer, message := make([]byte, 0, 1<<10), text("hello world")
	allocations := testing.AllocsPerRun(100, func() {
		out := append(buffer, KindReceived.Frame()...)
		out = AppendFrame(out, message)
		if len(out) == 0 {
			t.Fatal("AppendFrame: got no bytes, want a frame")
		}
	})
	if allocations != 0 {
		t.Errorf("AppendFrame to a buffer with room: got %v allocations, want none", allocations)
	}
}

func BenchmarkAppendFrame(b *testing.B) {
	for _, size := range benchmarkSizes {
		b.Run(size.name, func(b *testing.B) {
			message := text(strings.Repeat("x", size.bytes))
			buffer := make([]byte, 0, FrameSize(message))
			b.SetBytes(int64(FrameSize(message)))
			b.ReportAllocs()
			for b.Loop() {
				buffer = AppendFrame(buffer[:0], message)
			}
		})
	}
}
