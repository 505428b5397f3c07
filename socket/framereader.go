package socket

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
	// readSize is the size of the buffer a frameReader reads into. A longer frame
	// has its content read to where it stays.
	readSize = smallBuffer

	// ampleSize is the size of the buffer of one whose reads bring more than that, and of
	// one that gives its buffer back before it waits.
	ampleSize = largeBuffer

	// firstContent is how much is allocated for a content before its bytes come;
	// a longer one grows by contentGrowth as it fills. So a peer that announces
	// much and sends little costs little. One that has sent as much before is trusted
	// with it at once, up to maxTrust.
	firstContent  = 64 << 10
	contentGrowth = 4
	maxTrust      = 1<<20 + 1

	// maxInterned is the longest media type remembered between frames.
	maxInterned = 127

	// maxEmptyReads is how many reads in a row may bring neither bytes nor an error.
	maxEmptyReads = 100
)

// readStage is what a frameReader waits for.
type readStage uint8

const (
	stageHeader readStage = iota // the header, in the buffer
	stageSmall                   // content and end, in the buffer
	stageLarge                   // content and end, in content
)

// frameReader decodes frames from bytes that may come in any pieces. It is used in
// a loop: next until it has no more, then fill. It is not safe for concurrent use.
// frameReader{limit: n} is ready for use, and is what newFrameReader returns.
type frameReader struct {
	limit int // the longest content of a message, in bytes

	buffer     []byte // nil while it holds nothing
	start, end int    // the bytes of buffer not decoded yet

	busy     bool      // the last Read brought so much that a larger buffer pays
	long     bool      // the last frame had its content read to where it stays
	empty    int8      // reads in a row that brought nothing
	stage    readStage // what is waited for
	extended bool      // control messages may have the parameters that peers of ours give them

	mediaType MediaType // of the frame being read, after its header
	size      int       // length of its content, after its header
	content   []byte    // in stageLarge: what came of size+1 bytes

	trust  int32  // the longest content that came, end included, up to maxTrust
	frames uint32 // decoded so far, as far as 32 bits tell

	lastRaw string // the media type of the last frame, as it was spelled
	last    MediaType

	readErr error // of a Read that also brought bytes, kept for the next fill
	err     error // of next, for good
}

// newFrameReader returns a reader that refuses messages with a content of more
// than limit bytes. Control messages pass whatever the limit.
func newFrameReader(limit int) *frameReader { return &frameReader{limit: limit} }

// next returns the next frame among the bytes held, and false when more bytes are
// needed. It fails with ErrProtocol or ErrTooLarge, and then does so for good: what
// follows a broken frame cannot be told apart.
func (r *frameReader) next() (f frame, ok bool, err error) {
	if r.err != nil {
		return frame{}, false, r.err
	}
	if m, ok := r.another(); ok {
		r.frames++
		return frame{message: m}, true, nil
	}
	f, ok, err = r.decode()
	if err != nil {
		r.fail(err)
		return frame{}, false, err
	}
	if ok {
		r.frames++
	}
	return f, ok, nil
}

// fill makes one Read from src. Call it after next returned false.
//
// Bytes that come together with an error are kept, and the error is what the next
// fill returns, without reading; unless it is a timeout, which is dropped, as the
// Read after it makes a new one. Any other error leaves the reader as it was: after
// a timeout the rest of a frame may still come.
//
// At the end of src fill returns io.EOF between two frames, and an error that wraps
// io.ErrUnexpectedEOF inside one. After 100 reads in a row that brought nothing at
// all it returns io.ErrNoProgress.
func (r *frameReader) fill(src io.Reader) error {
	if err := r.over(); err != nil {
		return err
	}
	size := readSize
	if r.busy {
		size = ampleSize
	}
	space := r.space(size)
	if len(space) == 0 {
		return nil // full of frames that next has not been asked for
	}
	return r.took(src.Read(space))
}

// over returns why nothing more is to be read, if that is so.
func (r *frameReader) over() error {
	if r.err != nil {
		return r.err
	}
	if r.readErr != nil {
		return r.ended(r.readErr)
	}
	return nil
}

// took takes what a Read into space returned.
func (r *frameReader) took(n int, err error) error {
	r.filled(n)
	if n > 0 {
		r.empty = 0
		if err != nil && !isTimeout(err) {
			r.readErr = err
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

// idle tells whether the reader stands between two frames and holds no bytes.
func (r *frameReader) idle() bool { return r.stage == stageHeader && r.start == r.end }

// release gives the buffer back when it holds no bytes, a large one also when a small
// one holds them; fill gets a new one. What was decoded of a frame stays.
func (r *frameReader) release() {
	switch {
	case r.start == r.end:
		r.dropBuffer()
	case len(r.buffer) == ampleSize && r.end-r.start <= readSize:
		r.moveTo(takeBuffer(readSize))
	}
}

// decode is next without the memory of a failure.
func (r *frameReader) decode() (frame, bool, error) {
	if r.stage == stageHeader {
		if ok, err := r.header(); !ok {
			return frame{}, false, err
		}
	}
	if r.stage == stageLarge {
		return r.largeBody()
	}
	return r.smallBody()
}

// another decodes a whole message of the same media type as the last one, if that is
// what comes next and there is nothing special about it: most do, many at a time. It
// leaves everything else to decode.
func (r *frameReader) another() (m Message, ok bool) {
	held, header := r.buffer[r.start:r.end], fixedHeader+len(r.lastRaw)
	switch {
	case r.stage != stageHeader, r.lastRaw == "", len(held) <= header:
		return Message{}, false
	case headerSize(held) != header, string(held[2:header-4]) != r.lastRaw:
		return Message{}, false
	}
	size := uint64(binary.BigEndian.Uint32(held[header-4:]))
	body := held[header:]
	if size >= readSize || size > uint64(max(r.limit, 0)) || uint64(len(body)) <= size || body[size] != endOfFrame {
		return Message{}, false
	}
	if uint64(minControl) <= size && size <= uint64(maxControl) && mayBeControl(r.last) {
		return Message{}, false
	}
	m = Message{r.last, string(body[:size])}
	r.consume(header + int(size) + 1)
	r.long = false
	return m, true
}

// header decodes a header once all of it is held.
func (r *frameReader) header() (ok bool, err error) {
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

// intern returns the media type spelled raw, without allocating for the usual ones
// and the one that came last.
func (r *frameReader) intern(raw []byte) (MediaType, error) {
	if len(raw) > 0 && string(raw) == r.lastRaw {
		return r.last, nil
	}
	switch string(raw) {
	case textPlain:
		return r.remember(textPlain, TextPlain()), nil
	case octetStream:
		return r.remember(octetStream, OctetStream()), nil
	case jsonText:
		return r.remember(jsonText, JSON()), nil
	}
	text := string(raw)
	mediaType, err := parseMediaType(text)
	if err == nil && len(text) <= maxInterned {
		r.remember(text, mediaType)
	}
	return mediaType, err
}

// remember keeps a media type, as it was spelled, for the next frame.
func (r *frameReader) remember(spelled string, mediaType MediaType) MediaType {
	r.lastRaw, r.last = spelled, mediaType
	return mediaType
}

// checkSize compares the announced length of a content with the limit, in 64 bits
// because an int may have 32.
func (r *frameReader) checkSize(mediaType MediaType, announced uint32) error {
	limit := min(max(r.limit, 0), math.MaxInt-1) // size+1 must be an int
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
func (r *frameReader) smallBody() (f frame, ok bool, err error) {
	held := r.buffer[r.start:r.end]
	if len(held) <= r.size {
		return frame{}, false, nil
	}
	content := held[:r.size]
	if err := checkEnd(held[r.size]); err != nil {
		return frame{}, false, err
	}
	if minControl <= r.size && r.size <= maxControl && mayBeControl(r.mediaType) {
		f = r.control(string(content))
	}
	if f.kind == kindMessage {
		if r.size > max(r.limit, 0) {
			return frame{}, false, tooLarge(uint64(r.size), max(r.limit, 0))
		}
		f.message = Message{r.mediaType, string(content)}
	}
	r.consume(r.size + 1)
	r.stage, r.long = stageHeader, false
	return f, true, nil
}

// mayBeControl reports whether a control message may have the media type.
func mayBeControl(mediaType MediaType) bool { return strings.HasPrefix(mediaType.text, textPlain) }

// control is the control message that a content stands for, or no frame yet.
func (r *frameReader) control(content string) (f frame) {
	k := controlKind(content)
	switch {
	case r.mediaType.text == textPlain:
		f.kind = k
	case r.extended && k.isExtended(r.mediaType.text):
		f = frame{kind: k, message: Message{mediaType: r.mediaType}}
	}
	return f
}

// startLarge prepares for a content too long for the buffer, and moves there what
// the buffer holds of it. There is room for the end of the frame, too: a Read of
// its own for that byte would cost more.
func (r *frameReader) startLarge() {
	r.stage, r.busy, r.long = stageLarge, false, true // a large buffer pays with runs of small frames
	r.content = newContent(min(r.size+1, max(int(r.trust), firstContent)))
	held := r.buffer[r.start:r.end]
	held = held[:min(len(held), r.size+1)]
	r.content = append(r.content, held...)
	r.consume(len(held))
}

// largeBody takes over a content that is complete. Its last byte, the end of the
// frame, stays behind the string.
func (r *frameReader) largeBody() (f frame, ok bool, err error) {
	if len(r.content) <= r.size {
		return frame{}, false, nil
	}
	if err := checkEnd(r.content[r.size]); err != nil {
		return frame{}, false, err
	}
	// Nobody else has seen these bytes and nobody writes them again.
	f.message = Message{r.mediaType, unsafe.String(unsafe.SliceData(r.content), r.size)}
	r.trust = int32(min(max(int(r.trust), len(r.content)), maxTrust))
	r.content = nil
	r.stage = stageHeader
	return f, true, nil
}

func checkEnd(b byte) error {
	if b != endOfFrame {
		return fmt.Errorf("%w: the frame ends with 0x%02X instead of 0x%02X", ErrProtocol, b, endOfFrame)
	}
	return nil
}

// space returns where the next bytes go, empty only when the buffer is full of
// whole frames. The buffer has the given size, or a larger one that holds bytes.
func (r *frameReader) space(size int) []byte {
	if r.stage == stageLarge {
		r.growContent()
		return r.content[len(r.content):cap(r.content)]
	}
	switch {
	case len(r.buffer) < size, len(r.buffer) == ampleSize && size < ampleSize && r.start == r.end:
		r.moveTo(takeBuffer(size))
	case r.start > 0:
		r.end = copy(r.buffer, r.buffer[r.start:r.end])
		r.start = 0
	}
	if r.stage == stageHeader && r.end == len(r.buffer) {
		r.growHeader()
	}
	return r.buffer[r.end:]
}

// moveTo has another buffer hold the bytes.
func (r *frameReader) moveTo(buffer []byte) {
	n := copy(buffer, r.buffer[r.start:r.end])
	r.dropBuffer()
	r.buffer, r.end = buffer, n
}

// filled records that n bytes were read into space.
func (r *frameReader) filled(n int) {
	if r.stage == stageLarge {
		r.content = r.content[:len(r.content)+n]
		return
	}
	r.end += n
	r.busy = n >= readSize || n > 0 && r.end == len(r.buffer)
}

// growContent makes room for more of a large content when there is none.
func (r *frameReader) growContent() {
	if len(r.content) < cap(r.content) {
		return
	}
	grown := newContent(min(r.size+1, cap(r.content)*contentGrowth))
	r.content = append(grown, r.content...)
}

// newContent returns room for size bytes, at least one, that nobody has cleared: they are
// read into, and to clear as much before costs as much. Of the standard library only
// strings.Builder hands out such memory.
func newContent(size int) []byte {
	var b strings.Builder
	b.Grow(size)
	b.WriteByte(0) // an empty string need not point anywhere
	return unsafe.Slice(unsafe.StringData(b.String()), size)[:0]
}

// growHeader makes room for a header longer than the full buffer.
func (r *frameReader) growHeader() {
	size := headerSize(r.buffer)
	if size <= len(r.buffer) {
		return
	}
	r.moveTo(make([]byte, min(size, 2*len(r.buffer))))
}

// consume lets go of the first n bytes held. A buffer that grew for a header ends
// with it, so it is empty now and the usual one comes back.
func (r *frameReader) consume(n int) {
	r.start += n
	if r.start < r.end {
		return
	}
	r.start, r.end = 0, 0
	if len(r.buffer) != readSize && len(r.buffer) != ampleSize {
		r.dropBuffer()
	}
}

// dropBuffer lets go of the buffer and what it holds.
func (r *frameReader) dropBuffer() {
	giveBuffer(r.buffer)
	r.buffer, r.start, r.end = nil, 0, 0
}

// fail keeps an error for good and lets go of all memory.
func (r *frameReader) fail(err error) {
	r.err = err
	r.content = nil
	r.dropBuffer()
}

// ended tells an end of file inside a frame from one between two frames.
func (r *frameReader) ended(err error) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	if r.idle() {
		return io.EOF
	}
	return fmt.Errorf("the stream ended inside a frame: %w", io.ErrUnexpectedEOF)
}
