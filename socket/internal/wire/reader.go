package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"unsafe"
)

const (
	// readSize is the size of the buffer that Fill reads into. The content of a longer frame
	// is read to its final place.
	readSize = smallBuffer

	// ampleSize is the size of the buffer after a Read that filled the small one, and of the
	// buffer that Space returns.
	ampleSize = largeBuffer

	// firstContent is how much memory a content gets before its bytes arrive. A longer content
	// grows by the factor contentGrowth as it fills, so that a peer that announces a long
	// content and sends little of it costs little memory. A peer that has sent a content of some length before gets
	// that much at once, up to maxTrust.
	firstContent  = 64 << 10
	contentGrowth = 4
	maxTrust      = 1<<20 + 1

	// maxInterned is the longest media type that is remembered from frame to frame.
	maxInterned = 127

	// maxEmptyReads is the number of reads in a row that may return neither bytes nor an error.
	maxEmptyReads = 100
)

// readStage is the part of a frame that comes next.
type readStage uint8

const (
	stageHeader readStage = iota // the header, in the buffer
	stageSmall                   // content and end, in the buffer
	stageLarge                   // content and end, in content
)

// Reader decodes frames from bytes that arrive in any pieces. Its caller loops: Next until
// that has no more frames, then Fill. One goroutine at a time may use it.
// Reader{Limit: n} is ready for use.
type Reader struct {
	Limit int // the longest content of a message, in bytes; a control message may be longer

	buffer     []byte // nil while it holds no bytes
	start, end int    // of the bytes in buffer that are not decoded yet

	busy     bool      // the last Read returned so much that a larger buffer pays
	long     bool      // the content of the last frame was read to its final place
	empty    int8      // number of reads in a row that returned nothing
	stage    readStage // what comes next
	broken   bool      // failure is of Next, for all later calls
	Extended bool      // control messages may have the parameters of rxipc peers
	Lend     bool      // contents are lent: each Frame of a message has a Loan, which its receiver ends

	mediaType string // of the current frame, after its header
	size      int    // length of its content, after its header
	content   []byte // in stageLarge: the first of size+1 bytes
	loan      *Loan  // has the memory of content, if that is lent

	trust   int32  // the length of the longest content so far, with its end byte, up to maxTrust
	decoded uint32 // number of frames so far

	lastRaw string // the media type of the last frame, as it was spelled there
	last    string // its canonical spelling

	failure error // of a Read that also returned bytes, for the next Fill; or of Next
}

// Next returns the next frame among the bytes held. It returns false when more bytes are
// needed. It fails with ErrProtocol or ErrTooLarge, and every later call returns the same
// error: the bytes behind a broken frame have no known boundaries.
func (r *Reader) Next() (f Frame, ok bool, err error) {
	if r.broken {
		return Frame{}, false, r.failure
	}
	if f, ok = r.another(); ok {
		return f, true, nil
	}
	f, ok, err = r.decode()
	if err != nil {
		r.fail(err)
		return Frame{}, false, err
	}
	if ok {
		r.decoded++
	}
	return f, ok, nil
}

// Fill makes one Read from src. Call it after Next has returned false.
//
// When Read returns bytes and an error, Fill keeps the bytes, and the next Fill returns the
// error without reading. A timeout is dropped instead, because the Read after it fails with
// a new one. An error without bytes does not change the Reader: after a timeout the rest of
// a frame may still arrive.
//
// At the end of src Fill returns io.EOF between two frames, and an error that wraps
// io.ErrUnexpectedEOF inside a frame. After 100 reads in a row that returned neither bytes
// nor an error it returns io.ErrNoProgress.
func (r *Reader) Fill(src io.Reader) error {
	if err := r.Failure(); err != nil {
		return err
	}
	size := readSize
	if r.busy {
		size = ampleSize
	}
	space := r.spaceOf(size)
	if len(space) == 0 {
		return nil // full of frames that Next has not returned yet
	}
	return r.Commit(src.Read(space))
}

// ReadFrame returns the next frame, and reads from src as often as necessary.
func (r *Reader) ReadFrame(src io.Reader) (Frame, error) {
	for {
		f, ok, err := r.Next()
		if ok || err != nil {
			return f, err
		}
		if err := r.Fill(src); err != nil {
			return Frame{}, err
		}
	}
}

// Failure returns the error that ended the input, or nil.
func (r *Reader) Failure() error {
	if r.failure == nil || r.broken {
		return r.failure
	}
	return r.ended(r.failure)
}

// Commit takes over the results of a Read into the bytes that Space returned, with the rules
// of Fill.
func (r *Reader) Commit(n int, err error) error {
	r.filled(n)
	if n > 0 {
		r.empty = 0
		if err != nil && !IsTimeout(err) {
			r.failure = err
		}
		return nil
	}
	if err != nil {
		return r.ended(err)
	}
	if r.empty++; r.empty >= maxEmptyReads {
		return io.ErrNoProgress
	}
	return nil
}

// Skip skips the frames among the bytes held that equal spelled, up to the first other frame,
// and returns their number. It is for acknowledgements, which arrive in great numbers.
func (r *Reader) Skip(spelled string) (n int) {
	if r.broken || r.stage != stageHeader || spelled == "" {
		return 0
	}
	held, size := r.buffer[r.start:r.end], len(spelled)
	for len(held) >= size && string(held[:size]) == spelled {
		held = held[size:]
		n++
	}
	if n > 0 {
		r.consume(n * size)
		r.decoded += uint32(n)
	}
	return n
}

// HoldsClose reports whether a complete connection.close is among the bytes held. Messages
// may stand before it.
func (r *Reader) HoldsClose() bool {
	held := r.buffer[r.start:r.end]
	switch {
	case r.stage == stageLarge && len(r.content) <= r.size, r.stage == stageSmall && len(held) <= r.size:
		return false
	case r.stage == stageSmall:
		held = held[r.size+1:]
	}
	for {
		header := headerSize(held)
		if len(held) < header {
			return false
		}
		size := uint64(header) + uint64(binary.BigEndian.Uint32(held[header-4:])) + 1
		if uint64(len(held)) < size {
			return false
		}
		if string(held[:size]) == controlFrames[KindClose] {
			return true
		}
		held = held[size:]
	}
}

// Idle reports whether the Reader is between two frames and holds no bytes.
func (r *Reader) Idle() bool { return r.stage == stageHeader && r.start == r.end }

// decode is Next, except that it does not keep an error.
func (r *Reader) decode() (Frame, bool, error) {
	if r.stage == stageHeader {
		if ok, err := r.header(); !ok {
			return Frame{}, false, err
		}
	}
	if r.stage == stageLarge {
		return r.largeBody()
	}
	return r.smallBody()
}

// header decodes a header once all of it is held.
func (r *Reader) header() (ok bool, err error) {
	held := r.buffer[r.start:r.end]
	size := headerSize(held)
	if len(held) < size {
		return false, r.foreign(held)
	}
	mediaType, err := r.intern(held[2 : size-4])
	if err != nil {
		return false, r.notOurs(held, err)
	}
	announced := binary.BigEndian.Uint32(held[size-4:])
	if err := r.checkSize(mediaType, announced); err != nil {
		return false, err
	}
	r.mediaType, r.size = mediaType, int(announced)
	r.consume(size)
	r.stage = stageSmall
	if r.size >= readSize {
		r.startLarge()
	}
	return true, nil
}

// intern returns the media type spelled raw. It does not allocate for the usual media types
// and for the one of the last frame.
func (r *Reader) intern(raw []byte) (string, error) {
	if len(raw) > 0 && string(raw) == r.lastRaw {
		return r.last, nil
	}
	switch string(raw) {
	case TextPlain:
		return r.remember(TextPlain, TextPlain), nil
	case OctetStream:
		return r.remember(OctetStream, OctetStream), nil
	case JSON:
		return r.remember(JSON, JSON), nil
	}
	text := string(raw)
	mediaType, err := ParseMediaType(text)
	if err == nil && len(text) <= maxInterned {
		r.remember(text, mediaType)
	}
	return mediaType, err
}

// remember keeps a media type and its spelling in the frame for the next frame.
func (r *Reader) remember(spelled, mediaType string) string {
	r.lastRaw, r.last = spelled, mediaType
	return mediaType
}

// checkSize compares the announced length of a content with the limit. It counts in 64 bits
// because an int may have 32.
func (r *Reader) checkSize(mediaType string, announced uint32) error {
	limit := min(max(r.Limit, 0), math.MaxInt-1) // size+1 must be an int
	allowed := uint64(limit)
	if mayBeControl(mediaType) {
		allowed = max(allowed, uint64(maxControl)) // smallBody looks again
	}
	if uint64(announced) > allowed {
		return tooLarge(uint64(announced), limit)
	}
	return nil
}

func tooLarge(size uint64, limit int) error {
	return fmt.Errorf("%w: content of %d bytes announced, the limit is %d", ErrTooLarge, size, limit)
}

// smallBody decodes a content and its end from the buffer.
func (r *Reader) smallBody() (f Frame, ok bool, err error) {
	held := r.buffer[r.start:r.end]
	if len(held) <= r.size {
		return Frame{}, false, nil
	}
	content := held[:r.size]
	if err := checkEnd(held[r.size]); err != nil {
		return Frame{}, false, err
	}
	if minControl <= r.size && r.size <= maxControl && mayBeControl(r.mediaType) {
		f = r.control(string(content))
	}
	if f.Kind == KindMessage {
		if r.size > max(r.Limit, 0) {
			return Frame{}, false, tooLarge(uint64(r.size), max(r.Limit, 0))
		}
		f = r.small(r.mediaType, content)
	}
	r.consume(r.size + 1)
	r.stage, r.long = stageHeader, false
	return f, true, nil
}

// mayBeControl reports whether a control message may have the media type.
func mayBeControl(mediaType string) bool { return strings.HasPrefix(mediaType, TextPlain) }

// control returns the control message that a content stands for, or the zero Frame.
func (r *Reader) control(content string) (f Frame) {
	k := ControlKind(content)
	switch {
	case r.mediaType == TextPlain:
		f.Kind = k
	case r.Extended && k.isExtended(r.mediaType):
		f = Frame{Kind: k, Message: Message{MediaType: r.mediaType}}
	}
	return f
}

// startLarge prepares for a content that is too long for the buffer, and moves the first
// bytes of it out of the buffer. It makes room for the end byte of the frame, too, so that
// no Read is needed for that byte alone.
func (r *Reader) startLarge() {
	r.stage, r.busy, r.long = stageLarge, false, true // a large buffer pays with runs of small frames
	r.newContent(min(r.size+1, max(int(r.trust), firstContent)))
	held := r.buffer[r.start:r.end]
	held = held[:min(len(held), r.size+1)]
	r.content = append(r.content, held...)
	r.consume(len(held))
}

// largeBody returns the frame once its content is complete. The end byte of the frame stays
// in memory behind the string.
func (r *Reader) largeBody() (f Frame, ok bool, err error) {
	if len(r.content) <= r.size {
		return Frame{}, false, nil
	}
	if err := checkEnd(r.content[r.size]); err != nil {
		return Frame{}, false, err
	}
	// The string may share these bytes: there is no other reference to them.
	f.Message = Message{r.mediaType, unsafe.String(unsafe.SliceData(r.content), r.size)}
	f.Loan = r.loan
	r.trust = int32(min(max(int(r.trust), len(r.content)), maxTrust))
	r.content, r.loan = nil, nil
	r.stage = stageHeader
	return f, true, nil
}

func checkEnd(b byte) error {
	if b != endOfFrame {
		return fmt.Errorf("%w: the frame ends with 0x%02X instead of 0x%02X", ErrProtocol, b, endOfFrame)
	}
	return nil
}

// fail keeps an error for all later calls and releases all memory.
func (r *Reader) fail(err error) {
	r.failure, r.broken = err, true
	r.Drop()
}

// ended turns io.EOF inside a frame into io.ErrUnexpectedEOF.
func (r *Reader) ended(err error) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	if r.Idle() {
		return io.EOF
	}
	return fmt.Errorf("the stream ended inside a frame: %w", io.ErrUnexpectedEOF)
}
