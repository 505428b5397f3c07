package socket

import (
	"errors"
	"fmt"
	"log/slog"
	"unsafe"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// View is a message whose content is lent: its memory is used again for another message. A View
// is valid until the function that got it returns: the handler of [Server.WithViews], the
// function of [Process.RequestView] or [Pool.RequestView], or the yield of [ViewExchanges]. To keep a message for
// longer, keep [View.Message], or a copy of what Bytes returns.
//
// Bytes and Message panic when they are called later. A slice that Bytes returned before cannot
// know that, and has other bytes at some time: a build for the race detector, and each program
// that imports package sockettest, overwrite the memory as soon as it is given back, so that
// tests find such a slice.
//
// Large contents are the reason for a View. New memory for 64 KiB or more takes longer than
// reading the bytes into memory that was used before.
type View struct {
	message Message    // its content is in the memory of the loan, if there is one
	loan    *wire.Loan // nil: the View is always valid
	term    uint64     // of the loan
}

// Bytes returns the content, without copying it. It must not be changed, and not be used after
// the View.
func (v View) Bytes() []byte {
	v.check()
	content := v.message.content
	return unsafe.Slice(unsafe.StringData(content), len(content))
}

// Message returns a message with a copy of the content, to be kept.
func (v View) Message() Message {
	v.check()
	return NewMessageBytes(v.message.mediaType, v.Bytes())
}

// MediaType returns the media type. It is valid for ever.
func (v View) MediaType() MediaType { return v.message.mediaType }

// Len returns the length of the content in bytes.
func (v View) Len() int { return len(v.message.content) }

// String describes the message for logs, as [Message.String] does.
func (v View) String() string { return v.message.String() }

// GoString is String: the content may be secret.
func (v View) GoString() string { return v.message.String() }

// LogValue implements slog.LogValuer with the same description.
func (v View) LogValue() slog.Value { return v.message.LogValue() }

// viewOf returns a View of a decoded message. loan is nil if the message owns its content; then
// the View ends with a Loan without memory.
func viewOf(m Message, loan *wire.Loan) View { return View{m, loan, loan.Term()} }

// viewOfCopy returns a View of a copy of a content, for one answer.
func viewOfCopy(mediaType MediaType, content []byte) View {
	loan := wire.NewLoan(len(content))
	loan.Once = true
	return viewOf(Message{mediaType, loan.Hold(content)}, loan)
}

// check panics if the View is not valid any more.
func (v View) check() {
	if v.loan != nil && v.loan.Term() != v.term {
		panic(v.ended())
	}
}

// ended returns the error of a View that was used too late.
func (v View) ended() error {
	return &Error{Op: "use a View", Err: fmt.Errorf("%w, of %v: its memory may have another message by now; "+
		"to keep a message, keep View.Message or a copy of View.Bytes", errViewEnded, v.message)}
}

var errViewEnded = errors.New("the function that got it has returned")

// addTo adds the message to what is written. Its memory is not used again before that.
func (v *View) addTo(out *wire.Output) {
	if v.loan == nil {
		out.AddMessage(v.message.wire())
		return
	}
	if !v.loan.Retain(v.term) {
		panic(v.ended())
	}
	out.AddLent(v.message.wire(), v.loan)
	v.loan.Release()
}

// used ends a View that is for one answer.
func (v *View) used() {
	if v.loan != nil && v.loan.Once {
		v.loan.End()
	}
}

// owned returns a decoded message, with a copy of its content if a loan has it, which ends.
func owned(m Message, loan *wire.Loan) Message {
	if loan == nil {
		return m
	}
	m = viewOf(m, loan).Message()
	loan.End()
	return m
}
