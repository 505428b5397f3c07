package wire

import (
	"strings"
	"testing"
)

// FuzzSkip compares skipping acknowledgements with decoding them one by one.
func FuzzSkip(f *testing.F) {
	f.Add(encode(KindAck, KindAck, "a", KindAck), uint64(7))
	f.Add(encode(KindReceived, KindAck, KindAck)[:90], uint64(33))
	f.Add(append(encode(KindAck, KindAck), 0, 10, 't'), uint64(255))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		count := func(skip bool) (acks, others int, failed bool) {
			r := &Reader{Limit: 1000}
			source := &pieces{data, newRandom(seed)}
			for {
				if skip {
					acks += r.Skip(controlFrames[KindAck])
				}
				frame, ok, err := r.Next()
				switch {
				case err != nil:
					return acks, others, true
				case ok && frame.Kind == KindAck:
					acks++
				case ok:
					others++
				default:
					if r.Fill(source) != nil {
						return acks, others, false
					}
				}
			}
		}
		a, b, c := count(true)
		d, e, g := count(false)
		if a != d || b != e || c != g {
			t.Errorf("Skip: got %d acknowledgements, %d other frames, %v; Next: %d, %d, %v", a, b, c, d, e, g)
		}
	})
}

func TestReaderSkipLeavesAContentThatLooksLikeAnAcknowledgement(t *testing.T) {
	ack := controlFrames[KindAck]
	encoded := string(AppendFrame(nil, newMessage(JSON, ack)))
	r := &Reader{Limit: 1000}
	for _, piece := range []string{encoded[:len(encoded)-len(ack)-1], encoded[len(encoded)-len(ack)-1:]} {
		if err := r.Fill(strings.NewReader(piece)); err != nil {
			t.Fatalf("read a part of a frame: %v", err)
		}
		if n := r.Skip(ack); n != 0 {
			t.Errorf("Skip inside a content that equals an acknowledgement: got %d, want 0", n)
		}
		if f, ok, err := r.Next(); err != nil || ok && f.Message.Content != ack {
			t.Errorf("Next after Skip: got %v, %v, want the message with the content of an acknowledgement", f, err)
		}
	}
}
