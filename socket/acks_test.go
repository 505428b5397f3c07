package socket

import "testing"

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
