package sockettest

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/rxipc/rxipc/socket"
)

// unframed returns the messages of a stream and the error that ended it.
func unframed(r io.Reader) (all []socket.Message, err error) {
	var u unframe
	for {
		m, ok, err := u.next()
		if ok {
			all = append(all, m)
			continue
		}
		if err == nil {
			err = u.fill(r)
		}
		if err != nil {
			return all, err
		}
	}
}

func TestUnframeReadsFramesInAnyPieces(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	var sent []socket.Message
	var wire []byte
	for range 100 {
		m := socket.NewMessage(socket.OctetStream(), strings.Repeat("\xCE", random.IntN(300)))
		sent = append(sent, m)
		wire = appendFrame(wire, m)
	}
	for name, r := range map[string]io.Reader{
		"whole":         bytes.NewReader(wire),
		"byte by byte":  iotest.OneByteReader(bytes.NewReader(wire)),
		"halves":        iotest.HalfReader(bytes.NewReader(wire)),
		"data with EOF": iotest.DataErrReader(bytes.NewReader(wire)),
	} {
		if got, err := unframed(r); !slices.Equal(got, sent) || err != io.EOF {
			t.Errorf("%s: read %d messages, %v, want the %d sent messages and io.EOF", name, len(got), err, len(sent))
		}
	}
}

func TestUnframeRejectsOtherBytes(t *testing.T) {
	for bytes, want := range map[string]error{
		"\x00\x0atext/plain\x00\x00\x00\x01ax":    socket.ErrProtocol, // the end
		"\x00\x0aTEXT/PLAIN\x00\x00\x00\x01a\xCE": socket.ErrProtocol, // the media type
		"\x00\x00\x00\x00\x00\x00\xCE":            socket.ErrProtocol,
		"\x00\x0atext/plain\x04\x00\x00\x01":      socket.ErrTooLarge,
		"\x00\x0atext/plain\x00\x00\x00\x01a":     io.EOF,
	} {
		if _, err := unframed(strings.NewReader(bytes)); !errors.Is(err, want) {
			t.Errorf("read %q: got %v, want %v", bytes, err, want)
		}
	}
}

// The messages do not depend on the pieces in which their bytes come. Writing them gives
// the bytes that were read, except for the spelling of media types.
func FuzzUnframe(f *testing.F) {
	f.Add(Together(Start(), Text("a"), Ack(), CloseOK()).bytes)
	f.Add("\x00\x0atext/plain\x04\x00\x00\x01")
	f.Add("garbage")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := unframed(strings.NewReader(text))
		slowly, again := unframed(iotest.OneByteReader(strings.NewReader(text)))
		if !slices.Equal(all, slowly) || err.Error() != again.Error() {
			t.Fatalf("read in one piece: %v, %v; byte by byte: %v, %v", all, err, slowly, again)
		}
		var wire []byte
		for _, m := range all {
			wire = appendFrame(wire, m)
		}
		if twice, err := unframed(bytes.NewReader(wire)); !slices.Equal(all, twice) || err != io.EOF {
			t.Fatalf("read %v; after writing and reading them again: %v, %v", all, twice, err)
		}
	})
}
