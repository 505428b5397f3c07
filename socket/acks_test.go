package socket

import (
	"strings"
	"testing"
)

// FuzzSkip has acknowledgements skipped and decoded one by one.
func FuzzSkip(f *testing.F) {
	f.Add(encode(kindAck, kindAck, "a", kindAck), uint64(7))
	f.Add(encode(kindReceived, kindAck, kindAck)[:90], uint64(33))
	f.Add(append(encode(kindAck, kindAck), 0, 10, 't'), uint64(255))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		count := func(skip bool) (acks, others int, failed bool) {
			r := newFrameReader(1000)
			source := &pieces{data, newRandom(seed)}
			for {
				if skip {
					acks += r.skip(controlFrames[kindAck])
				}
				frame, ok, err := r.next()
				switch {
				case err != nil:
					return acks, others, true
				case ok && frame.kind == kindAck:
					acks++
				case ok:
					others++
				default:
					if r.fill(source) != nil {
						return acks, others, false
					}
				}
			}
		}
		a, b, c := count(true)
		d, e, g := count(false)
		if a != d || b != e || c != g {
			t.Errorf("skipping: %d acknowledgements, %d others, %v; decoding: %d, %d, %v", a, b, c, d, e, g)
		}
	})
}

func TestSkipLeavesAContentThatLooksLikeAnAcknowledgement(t *testing.T) {
	ack := controlFrames[kindAck]
	encoded := string(appendFrame(nil, NewMessage(JSON(), ack)))
	r := newFrameReader(1000)
	for _, piece := range []string{encoded[:len(encoded)-len(ack)-1], encoded[len(encoded)-len(ack)-1:]} {
		if err := r.fill(strings.NewReader(piece)); err != nil {
			t.Fatalf("reading part of a frame: %v", err)
		}
		if n := r.skip(ack); n != 0 {
			t.Errorf("%d acknowledgements were skipped in a content that reads like one, want none", n)
		}
		if f, ok, err := r.next(); err != nil || ok && f.message.Content() != ack {
			t.Errorf("the message was read as %v, %v; want the content of an acknowledgement", f, err)
		}
	}
}
