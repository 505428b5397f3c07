package socket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// flat spells what there is to write.
func (o *outgoing) flat() string { return string(slices.Concat(o.pieces()...)) }

// holds reports whether the bytes to write are these, without spelling them.
func (o *outgoing) holds(want []byte) bool {
	if o.size() != len(want) {
		return false
	}
	for _, piece := range o.pieces() {
		if !bytes.HasPrefix(want, piece) {
			return false
		}
		want = want[len(piece):]
	}
	return len(want) == 0
}

// TestOutgoingIsAStringOfBytes does things at random to an outgoing and to a string.
func TestOutgoingIsAStringOfBytes(t *testing.T) {
	for seed := range rounds(t, 50) {
		random := newRandom(seed)
		var o outgoing
		var want []byte
		add := func() {
			m := NewMessage(JSON(), strings.Repeat(string(rune('a'+random.IntN(26))), random.IntN(2*borrowFrom)))
			if random.IntN(3) == 0 {
				m = Text("small")
			}
			o.message(m)
			want = appendFrame(want, m)
		}
		for range 50 {
			before, length := o.amount(), len(want)
			switch random.IntN(6) {
			case 0:
				o.control(kindAck)
				want = append(want, controlFrames[kindAck]...)
			case 1:
				n := random.IntN(len(want) + 1)
				o.drop(n)
				want = want[n:]
			case 2:
				add()
				add()
				o.dropLast(o.since(before))
				want = want[:length]
			case 3:
				add()
				add()
				part := o.since(before)
				last := o.split(part)
				if !last.holds(want[length:]) || last.size() != part.size() {
					t.Fatalf("seed %d: split took off %d bytes, want the last %d", seed, last.size(), len(want)-length)
				}
				o.add(&last)
			default:
				add()
			}
			if !o.holds(want) {
				t.Fatalf("seed %d: %d bytes, want %d, or they differ", seed, o.size(), len(want))
			}
			if o.size() == 0 && (o.bytes != nil || o.borrowed != nil) {
				t.Fatalf("seed %d: an empty outgoing holds a buffer", seed)
			}
		}
	}
}

// TestLargeContentsLeaveInPieces writes to a real socket that is read slowly, so that
// writes end in the middle of anything.
func TestLargeContentsLeaveInPieces(t *testing.T) {
	ours, theirs := socketPair(t)
	var o outgoing
	for i := range 40 {
		o.message(Text(strings.Repeat(string(rune('a'+i)), 1000*i)))
	}
	want := o.flat()
	got := make(chan string)
	go func() {
		bytes, _ := io.ReadAll(theirs)
		got <- string(bytes)
	}()
	for o.size() > 0 {
		ours.SetWriteDeadline(time.Now().Add(50 * time.Microsecond))
		n, err := o.writeTo(ours)
		o.drop(n)
		if err != nil && !isTimeout(err) {
			t.Fatal(err)
		}
	}
	ours.Close()
	if <-got != want {
		t.Error("other bytes came")
	}
}

// socketPair returns the two ends of a real socket.
func socketPair(t testing.TB) (a, b net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	a, err = net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err = listener.Accept()
	if err != nil {
		t.Fatal(errors.Join(err, a.Close()))
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}
