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

// unframed are the messages of a stream, and its end.
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

func TestFramesComeInAnyPieces(t *testing.T) {
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
			t.Errorf("%s: %d of %d messages, %v", name, len(got), len(sent), err)
		}
	}
}

func TestWhatIsNoFrame(t *testing.T) {
	for bytes, want := range map[string]error{
		"\x00\x0atext/plain\x00\x00\x00\x01ax":    socket.ErrProtocol, // the end
		"\x00\x0aTEXT/PLAIN\x00\x00\x00\x01a\xCE": socket.ErrProtocol, // the media type
		"\x00\x00\x00\x00\x00\x00\xCE":            socket.ErrProtocol,
		"\x00\x0atext/plain\x04\x00\x00\x01":      socket.ErrTooLarge,
		"\x00\x0atext/plain\x00\x00\x00\x01a":     io.EOF,
	} {
		if _, err := unframed(strings.NewReader(bytes)); !errors.Is(err, want) {
			t.Errorf("%q: %v", bytes, err)
		}
	}
}

// What is a frame does not depend on how it comes, and is written as it was read but
// for the spelling of its media type.
func FuzzUnframe(f *testing.F) {
	f.Add(Together(Start(), Text("a"), Ack(), CloseOK()).bytes)
	f.Add("\x00\x0atext/plain\x04\x00\x00\x01")
	f.Add("garbage")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := unframed(strings.NewReader(text))
		slowly, again := unframed(iotest.OneByteReader(strings.NewReader(text)))
		if !slices.Equal(all, slowly) || err.Error() != again.Error() {
			t.Fatalf("at once %v, %v, slowly %v, %v", all, err, slowly, again)
		}
		var wire []byte
		for _, m := range all {
			wire = appendFrame(wire, m)
		}
		if twice, err := unframed(bytes.NewReader(wire)); !slices.Equal(all, twice) || err != io.EOF {
			t.Fatalf("read %v, written and read %v, %v", all, twice, err)
		}
	})
}
