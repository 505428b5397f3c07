package wire

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

// flat returns the bytes to write.
func (o *Output) flat() string { return string(slices.Concat(o.Pieces()...)) }

// holds reports whether the bytes to write equal want, without joining them.
func (o *Output) holds(want []byte) bool {
	if o.Len() != len(want) {
		return false
	}
	for _, piece := range o.Pieces() {
		if !bytes.HasPrefix(want, piece) {
			return false
		}
		want = want[len(piece):]
	}
	return len(want) == 0
}

// FuzzOutput applies the same random operations to an Output and to a slice of bytes.
func FuzzOutput(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		random := newRandom(seed)
		var o Output
		var want []byte
		var loans []*Loan
		defer func() {
			o.Drop()
			for i, loan := range loans {
				if users := loan.users.Load(); users != 1 {
					t.Errorf("seed %d: loan %d has %d users when the Output is empty, want 1: its owner", seed, i, users)
				}
				loan.End()
			}
		}()
		add := func() {
			m := newMessage(JSON, strings.Repeat(string(rune('a'+random.IntN(26))), random.IntN(2*borrowFrom)))
			if random.IntN(3) == 0 {
				m = text("small")
			}
			want = AppendFrame(want, m)
			if random.IntN(2) == 0 {
				loan := NewLoan(len(m.Content))
				loans = append(loans, loan)
				m.Content = loan.Hold([]byte(m.Content))
				o.AddLent(m, loan)
			} else {
				o.AddMessage(m)
			}
		}
		for range 50 {
			before, length := o.Extent(), len(want)
			switch random.IntN(6) {
			case 0:
				o.AddControl(KindAck)
				want = append(want, controlFrames[KindAck]...)
			case 1:
				n := random.IntN(len(want) + 1)
				o.DropFirst(n)
				want = want[n:]
			case 2:
				add()
				add()
				o.DropLast(o.Since(before))
				want = want[:length]
			case 3:
				add()
				add()
				part := o.Since(before)
				last := o.Split(part)
				if !last.holds(want[length:]) || last.Len() != part.Len() {
					t.Fatalf("seed %d: Split returned %d bytes, want the last %d", seed, last.Len(), len(want)-length)
				}
				o.Append(&last)
				last.Drop()
			default:
				add()
			}
			if !o.holds(want) {
				t.Fatalf("seed %d: the Output has %d bytes, want the same %d bytes as the slice", seed, o.Len(), len(want))
			}
			if o.Len() == 0 && (o.Bytes != nil || o.large != nil) {
				t.Fatalf("seed %d: an empty Output holds a buffer, want none", seed)
			}
		}
	})
}

// TestOutputWritesLargeContentsInPieces writes to a real socket with a slow reader, so that
// writes end anywhere in a frame.
func TestOutputWritesLargeContentsInPieces(t *testing.T) {
	ours, theirs := socketPair(t)
	var o Output
	for i := range 40 {
		o.AddMessage(text(strings.Repeat(string(rune('a'+i)), 1000*i)))
	}
	want := o.flat()
	got := make(chan string)
	go func() {
		bytes, _ := io.ReadAll(theirs)
		got <- string(bytes)
	}()
	for o.Len() > 0 {
		ours.SetWriteDeadline(time.Now().Add(50 * time.Microsecond))
		n, err := o.WriteAll(ours)
		o.DropFirst(n)
		if err != nil && !IsTimeout(err) {
			t.Fatalf("WriteAll to a slow socket: got %v, want nil or a timeout", err)
		}
	}
	ours.Close()
	if <-got != want {
		t.Error("WriteAll to a slow socket: the bytes received differ from those of the Output")
	}
}

// socketPair returns the two ends of a real socket.
func socketPair(t testing.TB) (a, b net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: got %v, want nil", err)
	}
	defer listener.Close()
	a, err = net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatalf("dial: got %v, want nil", err)
	}
	b, err = listener.Accept()
	if err != nil {
		t.Fatalf("accept: got %v, want nil", errors.Join(err, a.Close()))
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestOutputAllocatesNothingForLentContents(t *testing.T) {
	if raceBuild {
		t.Skip("in a build for the race detector a sync.Pool drops some of what it gets")
	}
	message := newMessage(OctetStream, strings.Repeat("x", 64<<10))
	var o, other Output
	write := func() {
		for range 3 {
			o.AddMessage(message)
		}
		other.Append(&o)
		o.Drop()
		n, err := other.WriteAll(io.Discard)
		if err != nil || n != 3*FrameSize(message) {
			t.Fatalf("write three messages: got %d bytes, %v, want %d", n, err, 3*FrameSize(message))
		}
		other.DropFirst(n)
	}
	if allocations := testing.AllocsPerRun(100, write); allocations >= 1 {
		t.Errorf("write contents that are not copied: got %v allocations, want none", allocations)
	}
}
