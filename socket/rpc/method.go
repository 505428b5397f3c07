package rpc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rxipc/rxipc/socket"
)

// Method is a call that a server answers with one response. It is a value that server and client
// share, mostly a variable of a package that both import: a name, the types of the request and
// the response, and how they are encoded.
//
//	var Status = rpc.NewMethod[StatusRequest, StatusReply]("status")
type Method[Req, Res any] struct{ definition }

// NewMethod returns a method that JSON encodes. The name is the value of a parameter of a media
// type: letters, digits and !#$%&'*+^_.-`|~ are allowed. NewMethod panics if it has others, since
// names are constants of the program.
func NewMethod[Req, Res any](name string) Method[Req, Res] {
	return Method[Req, Res]{define(KindCall, name, JSON)}
}

// Doc returns the method with a documentation, which a server tells on request.
func (m Method[Req, Res]) Doc(text string) Method[Req, Res] {
	m.doc = text
	return m
}

// Codecs returns the method with other codecs. A client encodes its requests with the first one.
// A server decodes a request with the one for its media type, and encodes the response with the
// same. Codecs panics if there is none.
func (m Method[Req, Res]) Codecs(codecs ...Codec) Method[Req, Res] {
	m.definition = m.with(codecs)
	return m
}

// Call makes a request and returns the response. A caller is a [*socket.Process] or a
// [*socket.Pool]. The time that ctx leaves travels with the request, and ends the context of the
// handler.
//
// Call fails with an [*Error]. It wraps a [*Problem] if the server answered with one, and
// otherwise the error of the caller, such as a [*socket.SendError], which tells whether the
// request may have been handled. It wraps [context.DeadlineExceeded] when the time is over,
// whichever side noticed, and [ErrBadResponse] if the response cannot be decoded.
func (m Method[Req, Res]) Call(ctx context.Context, caller Caller, request Req) (response Res, err error) {
	message, err := m.encodeWithin(ctx, &request)
	if err != nil {
		return response, m.failed(err)
	}
	if err := m.ask(ctx, caller, message, &response); err != nil {
		return response, m.failed(err)
	}
	return response, nil
}

// lender is a Caller whose responses need not be copied to be decoded: a [*socket.Process].
type lender interface {
	RequestView(ctx context.Context, m socket.Message, use func(socket.View) error) error
}

// ask makes a request and sets the response that value points to.
func (d *definition) ask(ctx context.Context, caller Caller, request socket.Message, value any) error {
	if l, ok := caller.(lender); ok {
		codecs := d.codecs // d stays on the stack
		return l.RequestView(ctx, request, func(v socket.View) error { return codecs.decode(v.MediaType(), v.Bytes(), value) })
	}
	response, err := caller.Request(ctx, request).Get()
	if err != nil {
		return err
	}
	return d.decode(response, value)
}

// Encode returns the request as a message, for pipelines such as [socket.Pool.RequestAll]. The
// time that ctx leaves travels with it.
func (m Method[Req, Res]) Encode(ctx context.Context, request Req) (socket.Message, error) {
	message, err := m.encodeWithin(ctx, &request)
	if err != nil {
		return message, m.failed(err)
	}
	return message, nil
}

// Decode returns the response that a message has, or the error that it stands for, as Call does.
func (m Method[Req, Res]) Decode(message socket.Message) (response Res, err error) {
	if err := m.decode(message, &response); err != nil {
		return response, m.failed(err)
	}
	return response, nil
}

// definition is what methods of all types and kinds have.
type definition struct {
	kind   Kind
	name   string
	doc    string
	codecs codecs
	sent   socket.MediaType // of requests without further parameters
}

func define(kind Kind, name string, codecs ...Codec) definition {
	if len(codecs) == 0 {
		panic("rpc: the method " + name + " has no codec")
	}
	for _, codec := range codecs {
		if isA(codec.MediaType(), problemJSON) {
			panic("rpc: " + problemJSON.String() + " is for errors, and cannot be the media type of a codec")
		}
	}
	sent, err := withParameter(codecs[0].MediaType(), string(kind), name)
	if err != nil {
		panic(fmt.Sprintf("rpc: define the method %q: %v", name, err))
	}
	return definition{kind: kind, name: name, codecs: slices.Clone(codecs), sent: sent}
}

func (d *definition) failed(err error) error { return &Error{Method: d.name, Err: err} }

// with returns the definition with other codecs.
func (d definition) with(codecs []Codec) definition {
	changed := define(d.kind, d.name, codecs...)
	changed.doc = d.doc
	return changed
}

// encode returns a request, which value points to, as a message.
func (d *definition) encode(value any) (socket.Message, error) {
	content, err := d.codecs[0].Encode(value)
	if err != nil {
		return socket.Message{}, fmt.Errorf("encode the request: %w", err)
	}
	return adopted(d.sent, content), nil
}

// encodeWithin is encode with the time that ctx leaves.
func (d *definition) encodeWithin(ctx context.Context, value any) (socket.Message, error) {
	m, err := d.encode(value)
	if deadline, ok := ctx.Deadline(); ok && err == nil {
		return withTimeout(ctx, m, time.Until(deadline))
	}
	return m, err
}

// decode sets the response that value points to, or returns the problem that the message is.
func (d *definition) decode(m socket.Message, value any) error {
	return d.codecs.decode(m.MediaType(), borrowed(m), value)
}

// codecs are those of a method.
type codecs []Codec

// decode sets the response that value points to, or returns the problem that the content is.
func (c codecs) decode(mediaType socket.MediaType, content []byte, value any) error {
	if err := problemIn(mediaType, content); err != nil {
		return err
	}
	codec, ok := c.of(mediaType)
	if t := targetOf(mediaType); ok && isMethod(t.kind) {
		return fmt.Errorf("%w: it is a request, %s %s; the server seems to send back what it gets", ErrBadResponse, t.kind, t.name)
	}
	if !ok {
		return fmt.Errorf("%w: its media type is %q, want %s", ErrBadResponse, mediaType, c)
	}
	if err := codec.Decode(content, value); err != nil {
		return fmt.Errorf("%w: %w", ErrBadResponse, err)
	}
	return nil
}

// of returns the codec for a media type, whatever its parameters.
func (c codecs) of(mt socket.MediaType) (Codec, bool) {
	for _, codec := range c {
		if isA(mt, codec.MediaType()) {
			return codec, true
		}
	}
	return nil, false
}

// String lists the media types.
func (c codecs) String() string {
	names := make([]string, len(c))
	for i, codec := range c {
		names[i] = codec.MediaType().String()
	}
	return strings.Join(names, " or ")
}

// isA reports whether a media type is the one that essence spells without parameters.
func isA(mt, essence socket.MediaType) bool {
	rest, ok := strings.CutPrefix(mt.String(), essence.String())
	return ok && (rest == "" || rest[0] == ';')
}

// timeoutParameter is the name of the parameter with the time that the caller still waits, in milliseconds.
const timeoutParameter = "timeout"

// withTimeout adds the time that is left to a request, rounded up, so that the server does not give
// up before the client.
func withTimeout(ctx context.Context, m socket.Message, left time.Duration) (socket.Message, error) {
	if left <= 0 {
		return m, cmp.Or(context.Cause(ctx), context.DeadlineExceeded)
	}
	return numbered(m, timeoutParameter, uint64((left+time.Millisecond-1)/time.Millisecond))
}

// problemIn returns the problem that a message is, if it is one.
func problemIn(mediaType socket.MediaType, content []byte) error {
	if !isA(mediaType, problemJSON) {
		return nil
	}
	problem := &Problem{}
	if err := problem.UnmarshalJSON(content); err != nil {
		return errors.Join(ErrBadResponse, fmt.Errorf("the server answered with a problem that is not JSON: %w", err))
	}
	return problem
}
