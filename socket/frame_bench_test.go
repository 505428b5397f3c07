package socket

import (
	"io"
	"strings"
	"testing"
)

// endless repeats the same bytes for ever.
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

// mustNext reads the next frame, from src if need be.
func mustNext(tb testing.TB, reader *frameReader, src io.Reader) frame {
	for {
		f, ok, err := reader.next()
		if err != nil {
			tb.Fatal(err)
		}
		if ok {
			return f
		}
		if err := reader.fill(src); err != nil {
			tb.Fatal(err)
		}
	}
}

func TestDecodingAllocatesTheContentOnly(t *testing.T) {
	for name, test := range map[string]struct {
		frame []byte
		want  float64
	}{
		"text":         {appendFrame(nil, Text("hello world")), 1},
		"json":         {appendFrame(nil, NewMessage(JSON(), "{ }")), 1},
		"one of ours":  {appendFrame(nil, NewMessage(MustParseMediaType("text/x; a=b"), "hello")), 1},
		"as long":      {appendFrame(nil, Text(strings.Repeat("x", maxControl))), 1},
		"large":        {appendFrame(nil, Text(strings.Repeat("x", 10*readSize))), 1},
		"empty":        {appendFrame(nil, Text("")), 0},
		"control":      {appendControl(nil, kindReceived), 0},
		"long control": {appendControl(nil, kindStartOK), 0},
	} {
		t.Run(name, func(t *testing.T) {
			reader, src := newFrameReader(1<<20), &endless{data: test.frame}
			mustNext(t, reader, src)
			allocations := testing.AllocsPerRun(200, func() { mustNext(t, reader, src) })
			if allocations != test.want {
				t.Errorf("%v allocations, want %v", allocations, test.want)
			}
		})
	}
}

var benchmarkSizes = []struct {
	name  string
	bytes int
}{{"64B", 64}, {"1KiB", 1 << 10}, {"64KiB", 64 << 10}}

func BenchmarkFrameReader(b *testing.B) {
	run := func(name string, encoded []byte) {
		b.Run(name, func(b *testing.B) {
			reader, src := newFrameReader(1<<20), &endless{data: encoded}
			b.SetBytes(int64(len(encoded)))
			b.ReportAllocs()
			for b.Loop() {
				mustNext(b, reader, src)
			}
		})
	}
	run("control", appendControl(nil, kindReceived))
	for _, size := range benchmarkSizes {
		run(size.name, appendFrame(nil, Text(strings.Repeat("x", size.bytes))))
	}
}

func TestEncodingAllocatesNothingWhenThereIsRoom(t *testing.T) {
	buffer, message := make([]byte, 0, 1<<10), Text("hello world")
	allocations := testing.AllocsPerRun(100, func() {
		out := appendControl(buffer, kindReceived)
		out = appendFrame(out, message)
		if len(out) == 0 {
			t.Fatal("nothing encoded")
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}

func BenchmarkAppendFrame(b *testing.B) {
	for _, size := range benchmarkSizes {
		b.Run(size.name, func(b *testing.B) {
			message := Text(strings.Repeat("x", size.bytes))
			buffer := make([]byte, 0, frameSize(message))
			b.SetBytes(int64(frameSize(message)))
			b.ReportAllocs()
			for b.Loop() {
				buffer = appendFrame(buffer[:0], message)
			}
		})
	}
}
