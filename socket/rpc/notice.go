package rpc

import (
	"context"
	"reflect"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// Notice is a notification: a message of a type that is not responded to. Like a [Method] it is a
// value that both sides share.
type Notice[T any] struct{ definition }

// NewNotice returns a notification that JSON encodes. It panics as [NewMethod] does.
func NewNotice[T any](name string) Notice[T] { return Notice[T]{define(KindNotice, name, JSON)} }

// Doc returns the notification with a documentation, which a server tells on request.
func (n Notice[T]) Doc(text string) Notice[T] {
	n.doc = text
	return n
}

// Codecs returns the notification with other codecs, as [Method.Codecs] does.
func (n Notice[T]) Codecs(codecs ...Codec) Notice[T] {
	n.definition = n.with(codecs)
	return n
}

// Sender sends messages and waits for their acknowledgements: a [*socket.Process].
type Sender interface {
	Send(ctx context.Context, messages ...socket.Message) fold.Attempt[*socket.Process]
}

// Send sends notifications, in order, and returns when all were handled. It fails with an [*Error]
// that wraps the [*socket.SendError], which counts those that were handled. It wraps
// [socket.ErrRejected] if the handler failed, or the server has none.
func (n Notice[T]) Send(ctx context.Context, to Sender, values ...T) error {
	return n.send(values, func(messages []socket.Message) error { return to.Send(ctx, messages...).Err() })
}

// Push sends notifications from a server to a client, in one write. It does not wait until they are
// handled. The client handles them if it runs [Server.Attend].
func (n Notice[T]) Push(ctx context.Context, to *socket.Connection, values ...T) error {
	return n.send(values, func(messages []socket.Message) error { return to.Send(ctx, messages...) })
}

// send encodes the values and calls send with all messages.
func (n Notice[T]) send(values []T, send func([]socket.Message) error) error {
	messages := make([]socket.Message, len(values))
	for i := range values {
		m, err := n.encode(&values[i])
		if err != nil {
			return n.failed(err)
		}
		messages[i] = m
	}
	if err := send(messages); err != nil {
		return n.failed(err)
	}
	return nil
}

// Encode returns the notification as a message, for pipelines such as [socket.Process.SendAll].
func (n Notice[T]) Encode(value T) (socket.Message, error) {
	m, err := n.encode(&value)
	if err != nil {
		return m, n.failed(err)
	}
	return m, nil
}

// HandleNotice returns the Handler of a notification. Those of a connection are handled one after
// the other, in their order, and each is acknowledged when the function has returned. If it fails
// or panics, the notification is not acknowledged, the connection ends, and the log has the error:
// see [socket.Exchange.Reject].
func HandleNotice[T any](notice Notice[T], f func(context.Context, T) error) Handler {
	h := Handler{definition: notice.definition, request: reflect.TypeFor[T]()}
	h.serve = func(ctx context.Context, call Call) (socket.Message, error) {
		var value T
		if _, err := notice.read(call.Message, &value); err != nil {
			return socket.Message{}, err
		}
		return socket.Message{}, f(ctx, value)
	}
	return h
}
