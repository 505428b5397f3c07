package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// Problem is an error that travels: the problem detail of RFC 9457. A handler that fails with
// one, or with an error that wraps one, tells it to its caller, who gets it with errors.As, or
// compares it with errors.Is:
//
//	var ErrNoCredit = &rpc.Problem{Type: "https://example.com/no-credit", Title: "the credit is used up"}
//
//	return Receipt{}, ErrNoCredit.With("balance", 30) // in the handler
//
//	if problem, ok := errors.AsType[*rpc.Problem](err); ok && errors.Is(err, ErrNoCredit) {
//		problem.Member("balance", &balance)
//	}
//
// Only the fields and the members travel. The text of an error that wraps a Problem, and the
// error that [Errorf] wraps, stay in the server, whose log has them.
type Problem struct {
	Type     string // a URI that identifies the kind of problem; empty means about:blank, which says nothing
	Title    string // a short text, the same for all problems of a type
	Status   int    // the status code of HTTP that fits, for gateways; 0 for none
	Detail   string // what happened this time, for people
	Instance string // a URI that identifies this occurrence; empty for none

	members map[string]json.RawMessage // further members of the object
	cause   error                      // wrapped, does not travel
}

// The problems that a server of this package answers with. Test for them with errors.Is.
var (
	// ErrUnknownMethod means that the server has no such method, or has it as another kind: a
	// stream or a notification.
	ErrUnknownMethod = known("unknown-method", "the server has no such method")

	// ErrBadRequest means that the server could not decode the request, or does not take its
	// media type. The detail says which, and where in the request.
	ErrBadRequest = known("bad-request", "the request cannot be decoded")

	// ErrFailed means that the handler failed with an error that is not meant for the caller. The
	// log of the server has the error.
	ErrFailed = known("failed", "the handler failed")

	errPanicked = known("panicked", "the handler panicked")                       // is socket.ErrPanicked
	errDeadline = known("deadline", "the time of the caller has passed")          // is context.DeadlineExceeded
	errShutdown = known("shutdown", "the server ends")                            // is socket.ErrShutdown
	errTooLarge = known("too-large", "the response is too large to be sent")      // is socket.ErrTooLarge
	errReserved = known("reserved", "the protocol reserves the response")         // is socket.ErrReserved
	errBusy     = known("busy", "the connection has a stream of answers already") // is socket.ErrBusy
)

// sentinels are what the problems of this package are, beside themselves.
var sentinels = map[string]error{
	errPanicked.Type: socket.ErrPanicked,
	errDeadline.Type: context.DeadlineExceeded,
	errShutdown.Type: socket.ErrShutdown,
	errTooLarge.Type: socket.ErrTooLarge,
	errReserved.Type: socket.ErrReserved,
	errBusy.Type:     socket.ErrBusy,
}

// problems is where the types of the problems of this package are described.
const problems = "https://github.com/rxipc/rxipc/blob/main/PROTOCOL.md#problem-"

// problemJSON is the media type of problems.
var problemJSON = socket.MustParseMediaType("application/problem+json")

func known(name, title string) *Problem { return &Problem{Type: problems + name, Title: title} }

// Errorf returns an error whose text the caller gets: a Problem of the type of ErrFailed with
// the text as its detail. On the server it wraps the operands of %w, as fmt.Errorf does.
func Errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return ErrFailed.because(err).Detailf("%s", err.Error())
}

// Error returns the title and the detail.
func (p *Problem) Error() string {
	title := p.Title
	if title == "" {
		title = strings.TrimSpace("problem " + p.Type)
	}
	if p.Detail == "" {
		return title
	}
	return title + ": " + p.Detail
}

// Is reports whether target is a Problem of the same type, or the sentinel of another package
// that stands for the type: [context.DeadlineExceeded], [socket.ErrPanicked],
// [socket.ErrShutdown], [socket.ErrTooLarge].
func (p *Problem) Is(target error) bool {
	if other, ok := target.(*Problem); ok {
		return p == other || p.Type != "" && p.Type == other.Type
	}
	sentinel := sentinels[p.Type]
	return sentinel != nil && errors.Is(sentinel, target)
}

// Unwrap returns the error that was given to [Errorf], in the process of the handler only.
func (p *Problem) Unwrap() error { return p.cause }

// Detailf returns a copy of the problem with a detail.
func (p *Problem) Detailf(format string, args ...any) *Problem {
	changed := *p
	changed.Detail = fmt.Sprintf(format, args...)
	return &changed
}

// With returns a copy of the problem with a further member, whose value encoding/json encodes.
// It panics if that fails, and if the RFC gives the name a meaning of its own: type, title,
// status, detail, instance.
func (p *Problem) With(name string, value any) *Problem {
	if standard[name] {
		panic("rpc: a problem has a field for its member " + name)
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("rpc: encode the member %s of a problem: %v", name, err))
	}
	changed := *p
	changed.members = maps.Clone(p.members)
	if changed.members == nil {
		changed.members = map[string]json.RawMessage{}
	}
	changed.members[name] = encoded
	return &changed
}

// Member decodes a further member of the problem into a variable, and reports whether there is
// such a member and it can be decoded.
func (p *Problem) Member(name string, into any) bool {
	encoded, ok := p.members[name]
	return ok && json.Unmarshal(encoded, into) == nil
}

func (p *Problem) because(err error) *Problem {
	changed := *p
	changed.cause = err
	return &changed
}

var standard = map[string]bool{"type": true, "title": true, "status": true, "detail": true, "instance": true}

// problemFields are the members of RFC 9457, in the order in which they are written.
type problemFields struct {
	Type     string `json:"type,omitempty"`
	Title    string `json:"title,omitempty"`
	Status   int    `json:"status,omitempty"`
	Detail   string `json:"detail,omitempty"`
	Instance string `json:"instance,omitempty"`
}

// MarshalJSON returns the problem as an object of application/problem+json: first the members of
// the RFC, then the others by name.
func (p *Problem) MarshalJSON() ([]byte, error) {
	object, err := json.Marshal(problemFields{p.Type, p.Title, p.Status, p.Detail, p.Instance})
	if err != nil || len(p.members) == 0 {
		return object, err
	}
	members, err := json.Marshal(p.members)
	if err != nil {
		return nil, err
	}
	object = bytes.TrimSuffix(object, []byte("}"))
	if len(object) > 1 {
		object = append(object, ',')
	}
	return append(object, members[1:]...), nil
}

// UnmarshalJSON reads an object of application/problem+json. As the RFC says (section 3.1), it
// ignores a member whose value has the wrong type.
func (p *Problem) UnmarshalJSON(object []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		return err
	}
	*p = Problem{}
	for name, field := range map[string]any{
		"type": &p.Type, "title": &p.Title, "status": &p.Status, "detail": &p.Detail, "instance": &p.Instance,
	} {
		if value, ok := members[name]; ok && json.Unmarshal(value, field) != nil {
			clearField(field)
		}
		delete(members, name)
	}
	if p.Type == "about:blank" {
		p.Type = ""
	}
	if len(members) > 0 {
		p.members = members
	}
	return nil
}

func clearField(field any) {
	switch field := field.(type) {
	case *string:
		*field = ""
	case *int:
		*field = 0
	}
}

// public returns what the caller may know of the error of a handler, and whether that hides a fault
// of the server. ended says that the connection has ended, or the server ends, expired that the
// context of the handler has.
func public(err error, ended, expired bool) (problem *Problem, hides bool) {
	problem, ok := errors.AsType[*Problem](err)
	switch {
	case ok && !within[*Error](err, problem) && !within[*stream.PanicError](err, problem):
		return problem, false
	case isPanic(err):
		return errPanicked.because(err), true
	case ended:
		return errShutdown, false
	case expired && errors.Is(err, context.DeadlineExceeded):
		return errDeadline, false
	case isUnsendable(err):
		return unsendable(err), true
	}
	return ErrFailed.because(err), true
}

// within reports whether err wraps an E that wraps the problem: a call to another server that it
// failed, or a panic.
func within[E error](err error, problem *Problem) bool {
	around, ok := errors.AsType[E](err)
	if !ok {
		return false
	}
	inner, _ := errors.AsType[*Problem](around)
	return inner == problem
}

func isPanic(err error) bool {
	_, ok := errors.AsType[*stream.PanicError](err)
	return ok
}

// isUnsendable reports whether the protocol does not let a message through.
func isUnsendable(err error) bool {
	return errors.Is(err, socket.ErrTooLarge) || errors.Is(err, socket.ErrReserved) || errors.Is(err, socket.ErrInvalid)
}

// unsendable returns the problem of a response that the protocol does not let through.
func unsendable(err error) *Problem {
	switch {
	case errors.Is(err, socket.ErrTooLarge):
		return errTooLarge
	case errors.Is(err, socket.ErrReserved):
		return errReserved
	}
	return ErrFailed
}

// problemMessage returns an error as a message for the caller.
func problemMessage(err error) socket.Message {
	problem, ok := errors.AsType[*Problem](err)
	if !ok {
		problem = ErrFailed
	}
	content, err := problem.MarshalJSON()
	if err != nil { // cannot be: With has encoded the members
		content, _ = ErrFailed.MarshalJSON()
	}
	return adopted(problemJSON, content)
}
