package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// The parameters of media types between a supervisor and a worker. PROTOCOL.md describes them.
const (
	jobParameter     = "job"     // the number of a job on its connection
	attemptParameter = "attempt" // how often the job was given to a worker, this time included
	leaseParameter   = "lease"   // of the job, in milliseconds; missing: no limit
	failedParameter  = "failed"  // of a failure: yes, or final
	failedOnce       = "yes"
	failedForGood    = "final"
)

// ready is the first message of a worker.
var ready = socket.NewMessage(socket.MustParseMediaType("text/plain; queue=worker"), "ready")

// textLimit is the highest number of bytes of a failure's text.
const textLimit = 4 << 10

// with returns a message with further parameters, given as name=value. It fails if the message
// has one of those names already.
func with(m socket.Message, parameters ...string) (socket.Message, error) {
	mediaType := m.MediaType()
	text := mediaType.String()
	separator := ", "
	if !strings.Contains(text, ";") {
		separator = "; "
	}
	for _, parameter := range parameters {
		name, _, _ := strings.Cut(parameter, "=")
		if value, has := mediaType.Parameter(name); has {
			return m, fmt.Errorf("%w: the media type has a parameter %s=%s, which the queue needs for itself", socket.ErrInvalid, name, value)
		}
		text += separator + parameter
		separator = ", "
	}
	mediaType, err := socket.ParseMediaType(text)
	return socket.NewMessage(mediaType, m.Content()), err
}

// without returns a message without the parameters of the queue.
func without(m socket.Message) socket.Message {
	essence, _, _ := strings.Cut(m.MediaType().String(), ";")
	kept := socket.NewMessage(socket.MustParseMediaType(essence), m.Content())
	var others []string
	for name, value := range m.MediaType().Parameters() {
		switch name {
		case jobParameter, attemptParameter, leaseParameter, failedParameter:
		default:
			others = append(others, name+"="+quoted(value))
		}
	}
	if kept, err := with(kept, others...); err == nil {
		return kept
	}
	return m // a repeated parameter
}

// quoted returns the value of a parameter as it is written.
func quoted(value string) string {
	if value == "" {
		return `""`
	}
	return value
}

// jobMessage returns the message that gives a job to a worker.
func jobMessage(m socket.Message, id string, attempt int, lease time.Duration) (socket.Message, error) {
	parameters := []string{jobParameter + "=" + id, attemptParameter + "=" + strconv.Itoa(attempt)}
	if lease > 0 {
		parameters = append(parameters, leaseParameter+"="+strconv.FormatInt(max(1, lease.Milliseconds()), 10))
	}
	return with(m, parameters...)
}

// given is a job as a worker gets it.
type given struct {
	id      string
	attempt int
	lease   time.Duration // 0: no limit
	message socket.Message
}

// parseJob reports whether a message is a job.
func parseJob(m socket.Message) (g given, ok bool) {
	if g.id, ok = m.MediaType().Parameter(jobParameter); !ok {
		return g, false
	}
	g.message = without(m)
	attempt, _ := m.MediaType().Parameter(attemptParameter)
	g.attempt, _ = strconv.Atoi(attempt)
	lease, _ := m.MediaType().Parameter(leaseParameter)
	milliseconds, _ := strconv.ParseInt(lease, 10, 64)
	g.lease = time.Duration(min(max(0, milliseconds), maxLease.Milliseconds())) * time.Millisecond
	return g, true
}

// maxLease is the longest lease that a worker heeds; longer ones do not fit into a Duration.
const maxLease = 100 * 365 * 24 * time.Hour

// resultMessage returns the message that answers a job.
func resultMessage(id string, result socket.Message, err error) socket.Message {
	if err == nil {
		m, failed := with(result, jobParameter+"="+id)
		if failed == nil {
			return m
		}
		err = Final(failed)
	}
	how := failedOnce
	if isFinal(err) {
		how = failedForGood
	}
	text := err.Error()
	if p, ok := errors.AsType[*stream.PanicError](err); ok {
		text = fmt.Sprintf("panic: %v", p.Value) // the stack stays here
	}
	text = strings.ToValidUTF8(text[:min(len(text), textLimit)], "")
	if socket.Text(text).IsReserved() {
		text += " "
	}
	m, _ := with(socket.Text(text), jobParameter+"="+id, failedParameter+"="+how)
	return m
}

// parseResult returns a worker's result, or its failure.
func parseResult(m socket.Message) (socket.Message, error) {
	how, failed := m.MediaType().Parameter(failedParameter)
	if failed {
		return socket.Message{}, &WorkerError{Text: m.Content(), Final: how == failedForGood}
	}
	return without(m), nil
}

// isUnsendable reports whether a message was refused before a byte of it was sent.
func isUnsendable(err error) bool {
	return errors.Is(err, socket.ErrTooLarge) || errors.Is(err, socket.ErrReserved) || errors.Is(err, socket.ErrInvalid)
}

// isOver reports whether a send failed because the connection has ended.
func isOver(ctx context.Context, err error) bool {
	return err != nil && ctx.Err() == nil && !isUnsendable(err)
}
