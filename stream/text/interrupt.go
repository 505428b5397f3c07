package text

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// chunk is the size of a Read on a goroutine that reads for a run.
const chunk = 32 << 10

// interruptible returns a reader of r whose Read fails with the cause of ctx's end when ctx
// ends, also while r blocks. The function that it returns is for the end of the run.
func interruptible(ctx context.Context, r io.Reader) (io.Reader, func()) {
	if ctx.Done() == nil || neverBlocks(r) {
		return r, func() {}
	}
	if d, ok := r.(readDeadline); ok && d.SetReadDeadline(time.Time{}) == nil {
		end := onDone(ctx, d.SetReadDeadline)
		return &deadlineReader{ctx, r}, end
	}
	if f, ok := r.(*os.File); ok {
		if r, end, ok := polling(ctx, f); ok {
			return r, end
		}
	}
	p := &pump{ctx: ctx, source: r, requests: make(chan struct{}), answers: make(chan answer, 1)}
	return p, p.end
}

// neverBlocks reports whether Read always returns soon: r is in memory or a file on disk.
func neverBlocks(r io.Reader) bool {
	switch r := r.(type) {
	case *bytes.Reader, *bytes.Buffer, *strings.Reader:
		return true
	case *os.File:
		info, err := r.Stat()
		return err == nil && info.Mode().IsRegular()
	default:
		return false
	}
}

type (
	readDeadline  interface{ SetReadDeadline(time.Time) error }
	writeDeadline interface{ SetWriteDeadline(time.Time) error }
)

// longAgo is a deadline that has passed, in virtual time too.
var longAgo = time.Unix(1, 0)

// onDone makes the end of ctx a deadline. The function it returns takes that back.
func onDone(ctx context.Context, setDeadline func(time.Time) error) func() {
	set := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(set)
		setDeadline(longAgo)
	})
	return func() {
		if !stop() {
			<-set
			setDeadline(time.Time{})
		}
	}
}

// deadlineReader reads from a reader whose deadline onDone sets.
type deadlineReader struct {
	ctx    context.Context
	source io.Reader
}

func (r *deadlineReader) Read(b []byte) (int, error) {
	n, err := r.source.Read(b)
	if err != nil && r.ctx.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		err = context.Cause(r.ctx)
	}
	return n, err
}

// pump reads on a goroutine of its own from a reader that cannot be interrupted. The
// goroutine reads only at a request, so it holds no bytes that the run did not get. If the
// run ends while Read blocks, the goroutine stays until Read returns.
type pump struct {
	ctx      context.Context
	source   io.Reader
	requests chan struct{} // closed when the run ends
	answers  chan answer   // has room for one: the goroutine never waits here
	joined   chan struct{} // closed when the goroutine has ended; nil before it begins
	blocked  bool          // a request has no answer yet
	waiting  answer        // the part that Read has not returned yet
}

// answer is the result of one Read, or its panic or Goexit.
type answer struct {
	bytes []byte
	err   error
	crash func()
}

// Read is called on the goroutine of the run.
func (p *pump) Read(b []byte) (int, error) {
	if len(p.waiting.bytes) == 0 && p.waiting.err == nil {
		if err := p.ask(); err != nil {
			return 0, err
		}
	}
	n := copy(b, p.waiting.bytes)
	p.waiting.bytes = p.waiting.bytes[n:]
	if len(p.waiting.bytes) > 0 {
		return n, nil
	}
	return n, p.waiting.err
}

// ask lets the goroutine read once, and waits for its answer.
func (p *pump) ask() error {
	if p.ctx.Err() != nil {
		return context.Cause(p.ctx)
	}
	if p.joined == nil {
		p.joined = make(chan struct{})
		go p.run()
	}
	p.requests <- struct{}{}
	p.blocked = true
	select {
	case p.waiting = <-p.answers:
		p.blocked = false
	case <-p.ctx.Done():
		return context.Cause(p.ctx)
	}
	if p.waiting.crash != nil {
		p.waiting.crash()
	}
	return nil
}

func (p *pump) run() {
	defer close(p.joined)
	buffer := make([]byte, chunk)
	for range p.requests {
		p.read(buffer)
	}
}

// read answers one request. A panic of the reader, or a Goexit, is the caller's.
func (p *pump) read(buffer []byte) {
	a := answer{crash: runtime.Goexit}
	defer func() {
		if value := recover(); value != nil {
			crash := &stream.PanicError{Value: value, Stack: debug.Stack()}
			a.crash = func() { panic(crash) }
		}
		p.answers <- a
	}()
	n, err := p.source.Read(buffer)
	a = answer{bytes: buffer[:n], err: err}
}

// end joins the goroutine, unless that is in a Read that blocks.
func (p *pump) end() {
	close(p.requests)
	if p.joined != nil && !p.blocked {
		<-p.joined
	}
}
