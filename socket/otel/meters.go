package otel

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/rxipc/rxipc/socket"
)

// buckets are the upper bounds of durations, in seconds. A message to another process of
// the same machine takes some tens of microseconds.
var buckets = []float64{
	50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3, 1, 2.5, 5, 10,
}

// meters are the instruments.
type meters struct {
	labels labels

	handled  metric.Float64Histogram
	sending  metric.Float64Histogram
	sent     metric.Int64Counter
	consumed metric.Int64Counter
	bytes    metric.Int64Counter

	connections metric.Int64UpDownCounter
	lasted      metric.Float64Histogram
	refused     metric.Int64Counter

	open      sync.Map // *socket.Connection
	processes sync.Map // *socket.Process
}

func newMeters(config Config) (*meters, error) {
	meter := config.MeterProvider.Meter(scope)
	var m making
	s := &meters{labels: labels{extra: config.Attributes, known: map[label]*options{}}}
	duration := func(name, description string) metric.Float64Histogram {
		h, err := meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description),
			metric.WithExplicitBucketBoundaries(buckets...))
		return made(&m, h, err)
	}
	counter := func(name, unit, description string) metric.Int64Counter {
		c, err := meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
		return made(&m, c, err)
	}
	queue := func(name, unit, description string) metric.Int64ObservableUpDownCounter {
		c, err := meter.Int64ObservableUpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
		return made(&m, c, err)
	}
	s.handled = duration("messaging.process.duration", "From when a message was received until it was handled.")
	s.sending = duration("messaging.client.operation.duration", "From when a message was sent until it was acknowledged.")
	s.lasted = duration("rxipc.connection.duration", "From when a client's connection was opened until it was closed.")
	s.sent = counter("messaging.client.sent.messages", "{message}", "Messages sent, without responses.")
	s.consumed = counter("messaging.client.consumed.messages", "{message}", "Messages received, responses among them.")
	s.bytes = counter("rxipc.io", "By", "Contents of messages, including responses.")
	s.refused = counter("rxipc.connections.refused", "{connection}", "Connections that a server refused.")
	connections, err := meter.Int64UpDownCounter("rxipc.connections", metric.WithUnit("{connection}"),
		metric.WithDescription("Open connections."))
	s.connections = made(&m, connections, err)

	held := queue("rxipc.messages.held", "{message}", "Answers that are held, or that wait behind a held answer.")
	inFlight := queue("rxipc.messages.in_flight", "{message}", "Messages sent and not acknowledged.")
	unread := queue("rxipc.messages.unread", "{message}", "Messages received and not yet read.")
	unreadBytes := queue("rxipc.unread", "By", "Contents of messages received and not yet read, including responses.")
	if m.err != nil {
		return nil, m.err
	}
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		q := s.queues()
		for name, n := range q.held {
			o.ObserveInt64(held, int64(n), s.labels.of(label{name: name, role: roleServer}).observe...)
		}
		for name, of := range q.clients {
			options := s.labels.of(label{name: name, role: roleClient})
			o.ObserveInt64(inFlight, int64(of.inFlight), options.observe...)
			o.ObserveInt64(unread, int64(of.unread), options.observe...)
			o.ObserveInt64(unreadBytes, int64(of.bytes), options.observe...)
		}
		return nil
	}, held, inFlight, unread, unreadBytes)
	return s, err
}

// queues is the current length of the queues of each name.
type queues struct {
	held    map[string]int
	clients map[string]clientQueues
}

type clientQueues struct{ inFlight, unread, bytes int }

func (s *meters) queues() queues {
	q := queues{map[string]int{}, map[string]clientQueues{}}
	s.open.Range(func(key, _ any) bool {
		c := key.(*socket.Connection)
		q.held[c.Name()] += c.Held()
		return true
	})
	s.processes.Range(func(key, _ any) bool {
		p := key.(*socket.Process)
		sum := q.clients[p.Name().String()]
		messages, bytes := p.Unread()
		sum.inFlight += p.InFlight()
		sum.unread += messages
		sum.bytes += bytes
		q.clients[p.Name().String()] = sum
		return true
	})
	return q
}

// hooks returns hooks that record to the instruments and the tracer.
func (s *meters) hooks(tracer *tracer) socket.Hooks {
	ctx := context.Background()
	return socket.Hooks{
		ServerHooks: socket.ServerHooks{
			Opened: func(c *socket.Connection) {
				s.open.Store(c, nil)
				s.connections.Add(ctx, 1, s.labels.of(label{name: c.Name(), role: roleServer}).add...)
			},
			Closed: func(e socket.Ending) {
				s.open.Delete(e.Connection)
				l := label{name: e.Connection.Name(), role: roleServer}
				s.connections.Add(ctx, -1, s.labels.of(l).add...)
				l.reason = socket.Reason(e.Err)
				s.lasted.Record(ctx, seconds(e.Duration), s.labels.of(l).record...)
			},
			Refused: func(r socket.Refusal) {
				s.refused.Add(ctx, 1, s.labels.of(label{name: r.Name, role: roleServer, reason: socket.Reason(r.Err)}).add...)
			},
			Received: func(c *socket.Connection, m socket.Message) { s.took(c.Name(), roleServer, m) },
			Handled: func(h socket.Handling) {
				name := h.Connection.Name()
				s.handled.Record(ctx, seconds(h.Duration), s.labels.of(label{name, roleServer, opProcess, failure(h.Err), ""}).record...)
				s.moved(name, roleServer, transmitted, h.Bytes)
				tracer.handled(h)
			},
			Pushed: func(c *socket.Connection, m socket.Message) { s.gave(c.Name(), roleServer, opPush, m) },
		},
		ClientHooks: socket.ClientHooks{
			Connected: func(p *socket.Process) {
				s.processes.Store(p, nil)
				s.connections.Add(ctx, 1, s.labels.of(label{name: p.Name().String(), role: roleClient}).add...)
			},
			Disconnected: func(p *socket.Process, err error) {
				s.processes.Delete(p)
				s.connections.Add(ctx, -1, s.labels.of(label{name: p.Name().String(), role: roleClient}).add...)
			},
			Sent: func(p *socket.Process, m socket.Message) { s.gave(p.Name().String(), roleClient, opSend, m) },
			Acknowledged: func(d socket.Delivery) {
				name := d.Process.Name().String()
				s.sending.Record(ctx, seconds(d.Duration), s.labels.of(label{name, roleClient, opSend, failure(d.Err), ""}).record...)
				tracer.sent(d)
			},
			Arrived: func(p *socket.Process, m socket.Message) { s.took(p.Name().String(), roleClient, m) },
		},
	}
}

// The values of network.io.direction.
const (
	transmitted = "transmit"
	received    = "receive"
)

// took counts a received message.
func (s *meters) took(name, role string, m socket.Message) {
	s.consumed.Add(context.Background(), 1, s.labels.of(label{name: name, role: role, operation: opReceive}).add...)
	s.moved(name, role, received, m.Len())
}

// gave counts a sent message.
func (s *meters) gave(name, role, operation string, m socket.Message) {
	s.sent.Add(context.Background(), 1, s.labels.of(label{name: name, role: role, operation: operation}).add...)
	s.moved(name, role, transmitted, m.Len())
}

// moved counts the bytes of a message's content.
func (s *meters) moved(name, role, direction string, bytes int) {
	s.bytes.Add(context.Background(), int64(bytes), s.labels.of(label{name: name, role: role, direction: direction}).add...)
}

// failure returns the value of error.type for an error, "" for nil.
func failure(err error) string {
	if err == nil {
		return ""
	}
	return socket.Reason(err)
}

func seconds(d time.Duration) float64 { return d.Seconds() }
