package text

import (
	"context"
	"io"

	"github.com/rxipc/rxipc/stream"
)

// bounded is the reader below a decoder that has no limit of its own. A decoder reads on
// only while its item is not complete, so all bytes that were read after begin belong to
// that item.
type bounded struct {
	source io.Reader
	limit  int
	begin  int64 // where the item that is being decoded begins
	read   int64
	failed error // what Read returned last, if that is no end
	hint   string
}

func (b *bounded) Read(p []byte) (n int, err error) {
	if b.read-b.begin > int64(b.limit) {
		b.failed = tooLong(b.limit, b.hint)
		return 0, b.failed
	}
	n, err = b.source.Read(p)
	b.read += int64(n)
	if err != nil && err != io.EOF {
		b.failed = err
	}
	return n, err
}

// decoder takes one item after the other from a reader. C is the decoder of the standard
// library.
type decoder[C interface{ InputOffset() int64 }] struct {
	config
	bounded
	ctx    context.Context
	unit   string
	number int64
	of     C
}

// decode runs with a decoder for r.
func decode[C interface{ InputOffset() int64 }](ctx context.Context, c config, unit string, r io.Reader, hint string, make func(io.Reader) C, run func(*decoder[C]) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r, end := interruptible(ctx, r)
	defer end()
	stream.Subscribed(ctx)
	d := &decoder[C]{config: c, bounded: bounded{source: r, limit: c.limit, hint: hint}, ctx: ctx, unit: unit}
	d.of = make(&d.bounded)
	return run(d)
}

// item begins the next item.
func (d *decoder[C]) item() {
	d.number++
	d.begin = d.of.InputOffset()
}

// failure returns how the run ends after err in an item, or nil if the run goes on. follows
// says whether the decoder can go on.
func (d *decoder[C]) failure(err error, follows bool) error {
	if d.ctx.Err() != nil {
		return context.Cause(d.ctx)
	}
	if d.failed != nil { // what the decoder makes of it says less
		err, follows = d.failed, false
	}
	e := &Error{d.unit, d.number, d.begin, err}
	if follows && d.passOver(d.ctx, e) {
		return nil
	}
	return e
}
