package socket

// skip passes over frames that are spelled exactly so, among the bytes held, and
// returns how many there were: acknowledgements come in great numbers, and are not
// worth decoding.
func (r *frameReader) skip(spelled string) (n int) {
	if r.err != nil || r.stage != stageHeader || spelled == "" {
		return 0
	}
	held, size := r.buffer[r.start:r.end], len(spelled)
	for len(held) >= size && string(held[:size]) == spelled {
		held = held[size:]
		n++
	}
	if n > 0 {
		r.consume(n * size)
		r.frames += uint32(n)
	}
	return n
}
