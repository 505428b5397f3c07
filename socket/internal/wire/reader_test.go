package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// readAll decodes all frames of src. It returns the error that ended src, nil for an end
// between two frames.
func readAll(src io.Reader, limit int) (frames []Frame, err error) {
	reader := &Reader{Limit: limit}
	reader.Extended = true
	for {
		f, err := reader.ReadFrame(src)
		switch err {
		case nil:
			frames = append(frames, f)
		case io.EOF:
			return frames, nil
		default:
			return frames, err
		}
	}
}

// assorted returns frames of many kinds: empty, small, about the size of the buffer, large,
// with long media types, with control messages between them.
func assorted() (frames []Frame, encoded []byte) {
	long := canonical("text/x; a=" + strings.Repeat("b", 20_000))
	odd := canonical("application/x+y; a=b, c=d")
	for k := KindStart; k < kindCount; k++ {
		frames = append(frames, Frame{Kind: k})
		encoded = append(encoded, k.Frame()...)
	}
	for _, size := range []int{0, 1, 27, 100, readSize - 17, readSize - 2, readSize - 1, readSize,
		readSize + 1, 3 * readSize, 50_000} {
		content := strings.Repeat("0123456789abcdef", size/16+1)[:size]
		for _, mediaType := range []string{TextPlain, odd, odd, JSON, OctetStream, long} {
			message := newMessage(mediaType, content)
			frames = append(frames, Frame{Message: message}, Frame{Kind: KindHeartbeat})
			encoded = append(AppendFrame(encoded, message), KindHeartbeat.Frame()...)
		}
	}
	return frames, encoded
}

func TestReaderReadsFromAnyReader(t *testing.T) {
	want, encoded := assorted()
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"plain":                  func(r io.Reader) io.Reader { return r },
		"one byte at a time":     iotest.OneByteReader,
		"half of what was asked": iotest.HalfReader,
		"last bytes with EOF":    iotest.DataErrReader,
		"one byte, EOF with it":  func(r io.Reader) io.Reader { return iotest.DataErrReader(iotest.OneByteReader(r)) },
		"nothing now and then":   func(r io.Reader) io.Reader { return &stutter{src: iotest.HalfReader(r)} },
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readAll(wrap(bytes.NewReader(encoded)), 1<<20)
			if err != nil {
				t.Fatalf("read good frames: got %v, want nil", err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("read %d frames, want the %d sent frames", len(got), len(want))
			}
		})
	}
}

// stutter returns nothing from every second Read.
type stutter struct {
	src  io.Reader
	odd  bool
	fail error
}

func (s *stutter) Read(p []byte) (int, error) {
	if s.odd = !s.odd; s.odd {
		return 0, s.fail
	}
	return s.src.Read(p)
}

func TestReaderContinuesAfterTimeouts(t *testing.T) {
	want, encoded := assorted()
	src := &stutter{src: iotest.HalfReader(bytes.NewReader(encoded)), fail: os.ErrDeadlineExceeded}
	reader := &Reader{Limit: 1 << 20}
	var got []Frame
	for {
		f, ok, err := reader.Next()
		if err != nil {
			t.Fatalf("Next between timeouts: got %v, want nil", err)
		}
		if ok {
			got = append(got, f)
			continue
		}
		err = reader.Fill(src)
		if err == io.EOF {
			break
		}
		if err != nil && err != os.ErrDeadlineExceeded {
			t.Fatalf("Fill between timeouts: got %v, want nil or a timeout", err)
		}
		reader.Release()
	}
	if !slices.Equal(got, want) {
		t.Errorf("read %d frames, want the %d sent frames", len(got), len(want))
	}
}

// script answers each Read with the next of its steps, then with io.EOF.
type script []step

type step struct {
	data string
	err  error
}

func (s *script) Read(p []byte) (int, error) {
	if len(*s) == 0 {
		return 0, io.EOF
	}
	first := (*s)[0]
	*s = (*s)[1:]
	return copy(p, first.data), first.err
}

func TestReaderKeepsAnErrorReturnedWithBytes(t *testing.T) {
	broken := errors.New("broken pipe")
	src := &script{{string(AppendFrame(nil, text("hi"))), broken}, {"x", nil}}
	reader := &Reader{Limit: 10}
	if err := reader.Fill(src); err != nil {
		t.Fatalf("Fill with bytes and an error: got %v, want nil and the error kept for the next Fill", err)
	}
	if f, ok, err := reader.Next(); !ok || err != nil || f.Message != text("hi") {
		t.Fatalf("Next: got %v, %v, %v, want the frame hi", f, ok, err)
	}
	for range 2 {
		if err := reader.Fill(src); err != broken {
			t.Errorf("Fill after bytes and an error: got %v, want %v", err, broken)
		}
	}
	if len(*src) != 1 {
		t.Errorf("Fill after an error left %d steps of the source unread, want 1", len(*src))
	}
}

func TestReaderDropsATimeoutReturnedWithBytes(t *testing.T) {
	encoded := string(AppendFrame(nil, text("hi")))
	src := &script{{encoded[:7], os.ErrDeadlineExceeded}, {encoded[7:], nil}}
	got, err := readAll(src, 10)
	if err != nil || len(got) != 1 || got[0].Message != text("hi") {
		t.Errorf("read a frame in two pieces, the first with a timeout: got %v, %v, want the frame hi", got, err)
	}
}

func TestReaderGivesUpOnASourceThatReturnsNothing(t *testing.T) {
	src := script(make([]step, 10*maxEmptyReads))
	if _, err := readAll(&src, 10); err != io.ErrNoProgress {
		t.Errorf("read from a source that returns nothing: got %v, want io.ErrNoProgress", err)
	}
}

func TestReaderCountsEmptyReadsInARow(t *testing.T) {
	encoded := string(AppendFrame(nil, text("hi")))
	nothing := make([]step, maxEmptyReads-1)
	src := append(script(nothing), append(script{{encoded[:7], nil}}, append(nothing, step{encoded[7:], nil})...)...)
	if got, err := readAll(&src, 10); err != nil || len(got) != 1 || got[0].Message != text("hi") {
		t.Errorf("%d empty reads before each half of a frame: got %v, %v, want the frame", len(nothing), got, err)
	}
	src = append(script(nothing), step{}, step{encoded, nil})
	if got, err := readAll(&src, 10); err != io.ErrNoProgress || len(src) != 1 {
		t.Errorf("%d empty reads: got %v, %v with %d steps left, want io.ErrNoProgress and 1", maxEmptyReads, got, err, len(src))
	}
}

func TestReaderDistinguishesAnEndInsideAFrame(t *testing.T) {
	encoded := AppendFrame(nil, newMessage(JSON, strings.Repeat("x", 2*readSize)))
	for _, cut := range []int{1, 2, 10, 18, 23, readSize, len(encoded) - 1} {
		for _, src := range []io.Reader{
			bytes.NewReader(encoded[:cut]),
			iotest.DataErrReader(bytes.NewReader(encoded[:cut])),
		} {
			got, err := readAll(src, 1<<20)
			if len(got) != 0 || !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
				t.Errorf("read a stream that ends after %d bytes: got %v, %v", cut, got, err)
			}
		}
	}
	if _, err := readAll(iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(encoded))), 1<<20); err != iotest.ErrTimeout {
		t.Errorf("read a stream that ends with another error: got %v, want that error", err)
	}
}

// raw encodes a frame, valid or not.
func raw(mediaType string, size uint32, content string, end byte) string {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(mediaType)))
	b = binary.BigEndian.AppendUint32(append(b, mediaType...), size)
	return string(append(append(b, content...), end))
}

func TestReaderErrorNamesTheFault(t *testing.T) {
	big := strings.Repeat("x", 50_000)
	for _, test := range []struct {
		name, bytes string
		limit       int
		want        error
		says        string
	}{
		{"wrong end", raw("text/plain", 2, "hi", 'A'), 100, ErrProtocol, "ends with 0x41 instead of 0xCE"},
		{"wrong end of nothing", raw("text/plain", 0, "", 0), 0, ErrProtocol, "ends with 0x00 instead of 0xCE"},
		{"wrong end of a large frame", raw("text/plain", 50_000, big, 0xCF), 50_000, ErrProtocol, "ends with 0xCF"},
		{"unknown media type", raw("nonsense", 2, "hi", 0xCE), 100, ErrProtocol, `media type "nonsense": expected`},
		{"no media type", raw("", 2, "hi", 0xCE), 100, ErrProtocol, `media type "": expected`},
		{"long bad media type", raw(big, 2, "hi", 0xCE), 100, ErrProtocol, " bytes): expected a known top level"},
		{"garbage", "\x00\x0ahello garbage \xff\xff", 100, ErrProtocol, `media type "hello garb": expected`},
		{"too large", raw("text/plain", 101, big, 0xCE), 100, ErrTooLarge, "content of 101 bytes announced, the limit is 100"},
		{"absurd", raw("text/plain", 1<<32-1, "", 0), 100, ErrTooLarge, "content of 4294967295 bytes announced"},
		{"past a limit below control messages", raw("text/plain", 6, "123456", 0xCE), 5, ErrTooLarge, "6 bytes announced, the limit is 5"},
		{"past a negative limit", raw("text/plain", 1, "1", 0xCE), -1, ErrTooLarge, "1 bytes announced, the limit is 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := readAll(strings.NewReader(test.bytes), test.limit)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("read a broken frame: got %v\nwant %v with the text %s", err, test.want, test.says)
			}
			if len(err.Error()) > 400 {
				t.Errorf("read a broken frame: the error has %d bytes, want a short one", len(err.Error()))
			}
		})
	}
}

func TestReaderReturnsTheFramesBeforeABrokenFrame(t *testing.T) {
	src := string(AppendFrame(nil, text("good"))) + raw("nonsense", 2, "hi", 0xCE)
	got, err := readAll(strings.NewReader(src), 100)
	if !errors.Is(err, ErrProtocol) || !slices.Equal(got, []Frame{{Message: text("good")}}) {
		t.Errorf("read a good and a broken frame: got %v, %v, want the good one and ErrProtocol", got, err)
	}
}

func TestReaderKeepsTheErrorOfABrokenFrame(t *testing.T) {
	reader := &Reader{Limit: 100}
	src := strings.NewReader(raw("nonsense", 2, "hi", 0xCE))
	if err := reader.Fill(src); err != nil {
		t.Fatalf("Fill with a broken frame: got %v, want nil, since Next decodes it", err)
	}
	_, _, first := reader.Next()
	good := bytes.NewReader(AppendFrame(nil, text("hi")))
	if err := reader.Fill(good); err != first || first == nil {
		t.Errorf("Fill after a broken frame: got %v, want %v", err, first)
	}
	if _, ok, err := reader.Next(); ok || err != first {
		t.Errorf("Next after a broken frame: got %v, %v, want %v", ok, err, first)
	}
	if reader.buffer != nil {
		t.Errorf("the Reader holds a buffer of %d bytes after a broken frame, want none", len(reader.buffer))
	}
}

func TestReaderAcceptsControlMessagesAboveTheLimit(t *testing.T) {
	var encoded []byte
	for k := KindStart; k < kindCount; k++ {
		encoded = append(encoded, k.Frame()...)
	}
	got, err := readAll(bytes.NewReader(encoded), 0)
	if err != nil || len(got) != int(kindCount-KindStart) {
		t.Errorf("read each control message with a limit of 0: got %v, %v, want all %d", got, err, kindCount-KindStart)
	}
}

func TestReaderTreatsControlContentOfAnotherMediaTypeAsAMessage(t *testing.T) {
	for _, message := range []Message{
		newMessage(JSON, contentClose),
		newMessage(canonical("text/plain; a=b"), contentClose),
		text(contentClose[:len(contentClose)-1] + "X"),
	} {
		got, err := readAll(bytes.NewReader(AppendFrame(nil, message)), 100)
		if err != nil || !slices.Equal(got, []Frame{{Message: message}}) {
			t.Errorf("read %v: got %v, %v, want the message", message, got, err)
		}
	}
}

func TestReaderHoldsNoMemoryWhenIdle(t *testing.T) {
	_, encoded := assorted()
	encoded = append(encoded, "\x00"...)
	reader, src := &Reader{Limit: 1 << 20}, bytes.NewReader(encoded)
	for src.Len() > 0 {
		if err := reader.Fill(src); err != nil {
			t.Fatalf("Fill: got %v, want nil", err)
		}
		for ok := true; ok; {
			_, ok, _ = reader.Next()
		}
		if idle := reader.stage == stageHeader && reader.start == reader.end; idle != reader.Idle() {
			t.Fatalf("Idle in stage %d with %d bytes: got %v, want %v", reader.stage, reader.end-reader.start, reader.Idle(), idle)
		}
	}
	if reader.Release(); reader.Idle() || reader.buffer == nil {
		t.Error("Release inside a frame: the buffer is gone, want it kept")
	}
	if len(reader.buffer) != readSize || reader.content != nil {
		t.Errorf("after Release: a buffer of %d bytes and a content of %d, want %d and none", len(reader.buffer), len(reader.content), readSize)
	}

	reader = &Reader{Limit: 10}
	if !reader.Idle() || reader.buffer != nil {
		t.Errorf("new Reader: idle %v with a buffer of %d bytes, want it idle without one", reader.Idle(), len(reader.buffer))
	}
	_ = reader.Fill(bytes.NewReader(AppendFrame(nil, text("hi"))))
	if reader.Release(); reader.Idle() || reader.buffer == nil {
		t.Error("Release before Next: the frame in the buffer is gone, want it kept")
	}
	if err := reader.Fill(strings.NewReader("")); err == nil {
		t.Error("Fill at the end of the source: got nil, want an error")
	}
	_, _, _ = reader.Next()
	if reader.Release(); !reader.Idle() || reader.buffer != nil {
		t.Errorf("Release of an idle Reader: idle %v with a buffer of %d bytes, want none", reader.Idle(), len(reader.buffer))
	}
}

func TestReaderFillDoesNothingWhileTheBufferIsFullOfFrames(t *testing.T) {
	encoded := bytes.Repeat([]byte(KindHeartbeat.Frame()), 3000)
	reader, src := &Reader{Limit: 10}, bytes.NewReader(encoded)
	for range 3 {
		if err := reader.Fill(src); err != nil {
			t.Fatalf("Fill without calls of Next: got %v, want nil", err)
		}
	}
	if read := len(encoded) - src.Len(); read != ampleSize {
		t.Errorf("three Fills without calls of Next read %d bytes, want %d", read, ampleSize)
	}
}

func TestReaderAllocatesAContentAsItArrives(t *testing.T) {
	const announced = 1 << 30
	reader := &Reader{Limit: announced}
	header := raw("text/plain", announced, "", 'x')
	if err := reader.Fill(strings.NewReader(header)); err != nil {
		t.Fatalf("Fill with a header: got %v, want nil", err)
	}
	piece := strings.Repeat("x", 1<<16)
	for sent := 1; sent < 8<<20; sent += len(piece) {
		if _, ok, err := reader.Next(); ok || err != nil {
			t.Fatalf("Next with %d of %d bytes: got %v, %v, want no frame and no error", sent, announced, ok, err)
		}
		if held := cap(reader.content); held > firstContent && held > contentGrowth*sent {
			t.Fatalf("%d bytes have arrived: %d are allocated, want at most %d times as many", sent, held, contentGrowth)
		}
		if err := reader.Fill(strings.NewReader(piece)); err != nil {
			t.Fatalf("Fill with a piece of a large content: got %v, want nil", err)
		}
	}
}

func TestReaderAllocatesTheLengthThatThePeerHasSentBefore(t *testing.T) {
	content := strings.Repeat("x", 500_000)
	src := bytes.NewReader(slices.Concat(encode(content, content), []byte(raw("text/plain", 1<<30, "", 'x'))))
	reader := &Reader{Limit: 1 << 30}
	for _, want := range []int{firstContent, len(content) + 1, len(content) + 1} {
		for reader.stage != stageLarge {
			if err := reader.Fill(src); err != nil {
				t.Fatalf("Fill with a header: got %v, want nil", err)
			}
			reader.Next()
		}
		if cap(reader.content) != want {
			t.Errorf("read the header of a content: %d bytes are allocated, want %d", cap(reader.content), want)
		}
		for reader.stage == stageLarge && src.Len() > 0 {
			if err := reader.Fill(src); err != nil {
				t.Fatalf("Fill with a large content: got %v, want nil", err)
			}
			reader.Next()
		}
	}
}

func TestReaderReadsALongContent(t *testing.T) {
	message := text(strings.Repeat("0123456789abcdef", 6<<20/16) + "end")
	got, err := readAll(bytes.NewReader(AppendFrame(nil, message)), 1<<30)
	if err != nil || len(got) != 1 || got[0].Message != message {
		t.Errorf("read a content of %d bytes: got %d frames, %v, want the message", len(message.Content), len(got), err)
	}
}

// nothings is a reader whose first reads return nothing. Then it returns a frame.
type nothings struct {
	left  int
	frame []byte
}

func (n *nothings) Read(p []byte) (int, error) {
	if n.left > 0 {
		n.left--
		return 0, nil
	}
	return copy(p, n.frame), nil
}

func TestReaderAllowsAFewEmptyReads(t *testing.T) {
	for empty, want := range map[int]error{maxEmptyReads - 1: nil, maxEmptyReads: io.ErrNoProgress} {
		src, reader := &nothings{empty, encode("late")}, &Reader{Limit: 10}
		var err error
		for range empty {
			err = reader.Fill(src)
		}
		if !errors.Is(err, want) {
			t.Errorf("Fill after %d empty reads: got %v, want %v", empty, err, want)
		}
		if src.left = 0; want == nil {
			if f, err := reader.ReadFrame(src); err != nil || f.Message != text("late") {
				t.Errorf("Next after %d empty reads: got %v, %v, want the frame", empty, f, err)
			}
		}
	}
}

func TestReaderAcceptsContentsUpToTheLimit(t *testing.T) {
	for limit := 1; limit < maxControl+3; limit++ { // includes limits shorter than a control message
		message := text(strings.Repeat("x", limit))
		for want, limit := range map[bool]int{true: limit, false: limit - 1} {
			got, err := readAll(bytes.NewReader(AppendFrame(nil, message)), limit)
			if (err == nil) != want || want && !slices.Equal(got, []Frame{{Message: message}}) {
				t.Errorf("read a message of %d bytes with the limit %d: got %v, %v; want it accepted: %v", len(message.Content), limit, got, err, want)
			}
		}
	}
}

func TestReaderReleasesABufferThatGrewForAHeader(t *testing.T) {
	const begin = "text/plain; a="
	mediaType := canonical(begin + strings.Repeat("x", math.MaxUint16-len(begin))) // the longest possible
	reader, src := &Reader{Limit: 100}, bytes.NewReader(AppendFrame(nil, newMessage(mediaType, "")))
	for ok := false; !ok; {
		if err := reader.Fill(src); err != nil {
			t.Fatalf("read a frame with a long header: %v", err)
		}
		_, ok, _ = reader.Next()
	}
	if size := len(reader.buffer); size > ampleSize {
		t.Errorf("after a frame with a long header the Reader holds a buffer of %d bytes, want at most %d", size, ampleSize)
	}
}
