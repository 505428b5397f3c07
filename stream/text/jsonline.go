package text

import (
	"bytes"
	"encoding/json"
	"io"
)

// lineDecoder decodes one line of JSON after the other. A json.Decoder that is kept allocates
// less than json.Unmarshal, and makes the same of a line with one value. All other lines are
// left to json.Unmarshal, whose errors say more.
type lineDecoder struct {
	lineReader
	of *json.Decoder // nil after a line that it could not decode
}

func decodeLine[T any](d *lineDecoder, line []byte) (T, error) {
	if d.of == nil {
		d.lineReader = lineReader{}
		d.of = json.NewDecoder(&d.lineReader)
	}
	begin := d.given // all before is white space, or was decoded
	d.rest, d.ended = line, false
	var v T
	if err := d.of.Decode(&v); err == nil {
		used := min(d.of.InputOffset()-begin, int64(len(line)))
		if len(bytes.TrimLeft(line[used:], " \t\r")) == 0 {
			return v, nil
		}
	}
	d.of = nil
	var other T
	err := json.Unmarshal(line, &other)
	return other, err
}

// lineReader reads a line and a "\n", and then fails: a value does not go on in the next line.
type lineReader struct {
	rest  []byte
	ended bool
	given int64 // bytes of all lines
}

func (r *lineReader) Read(p []byte) (n int, err error) {
	n = copy(p, r.rest)
	r.rest = r.rest[n:]
	switch {
	case len(r.rest) > 0 || n == len(p):
	case !r.ended:
		p[n], r.ended = '\n', true
		n++
	case n == 0:
		err = io.ErrUnexpectedEOF
	}
	r.given += int64(n)
	return n, err
}
