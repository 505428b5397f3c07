package otel

import (
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
)

// system is the value of messaging.system.
const system = "innmind_ipc"

// The values of messaging.operation.name.
const (
	opSend    = "send"    // by a client
	opPush    = "push"    // by a server, not as a response
	opReceive = "receive" // by a client or a server
	opProcess = "process" // by a server
)

// The values of rxipc.role.
const (
	roleServer = "server"
	roleClient = "client"
)

var operationTypes = map[string]attribute.KeyValue{
	opSend:    semconv.MessagingOperationTypeSend,
	opPush:    semconv.MessagingOperationTypeSend,
	opReceive: semconv.MessagingOperationTypeReceive,
	opProcess: semconv.MessagingOperationTypeProcess,
}

// label distinguishes the points of a metric.
type label struct {
	name      string // of the server
	role      string
	operation string
	reason    string // of a failure, or of the end of a connection
	direction string // of bytes
}

func (l label) attributes() []attribute.KeyValue {
	all := []attribute.KeyValue{
		semconv.MessagingSystemKey.String(system),
		semconv.MessagingDestinationName(l.name),
		attribute.String("rxipc.role", l.role),
	}
	if l.operation != "" {
		all = append(all, semconv.MessagingOperationName(l.operation), operationTypes[l.operation])
	}
	if l.direction != "" {
		all = append(all, semconv.NetworkIODirectionKey.String(l.direction))
	}
	switch {
	case l.reason == "":
	case l.operation != "": // the operation failed
		all = append(all, semconv.ErrorTypeKey.String(l.reason))
	default: // the end of a connection is no error
		all = append(all, attribute.String("rxipc.reason", l.reason))
	}
	return all
}

// labels caches the attributes of each label in the form that instruments take. It has a
// few entries for each name of a server.
type labels struct {
	extra []attribute.KeyValue

	mu    sync.RWMutex
	known map[label]*options
}

// options is one set of attributes, for each kind of instrument.
type options struct {
	add     []metric.AddOption
	record  []metric.RecordOption
	observe []metric.ObserveOption
}

func (s *labels) of(l label) *options {
	s.mu.RLock()
	o := s.known[l]
	s.mu.RUnlock()
	if o != nil {
		return o
	}
	set := metric.WithAttributeSet(attribute.NewSet(append(l.attributes(), s.extra...)...))
	o = &options{[]metric.AddOption{set}, []metric.RecordOption{set}, []metric.ObserveOption{set}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[l] = o
	return o
}
