package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// puller reads the messages of a consumer in the broker, on the goroutine of its caller. It knows at
// each time how many messages may come.
type puller struct {
	conn    *nats.Conn
	subject string // of requests
	sub     *nats.Subscription
	ahead   int  // how many messages may be asked for and not be taken
	bytes   int  // the most bytes that one request may give
	busy    bool // the next message is there: a heartbeat instead of it means errIdle

	awaited int             // messages that were asked for and have not come
	beat    context.Context // ends when the broker has said nothing for too long
	cancel  context.CancelFunc
	renew   time.Time // when beat is to be made anew
}

// Times of requests. The broker sends a heartbeat when it has nothing else to say.
const (
	heartbeat     = time.Second
	silence       = 3 * heartbeat
	requestExpiry = 30 * time.Second
)

// errSilent means that a consumer is not there any more, or that the broker says nothing.
var errSilent = errors.New("the broker's consumer is silent")

// errIdle means that the broker is there, and does not deliver a message that it should have.
var errIdle = errors.New("the broker does not deliver it")

func newPuller(conn *nats.Conn, stream, consumer string, ahead, bytes int) (*puller, error) {
	sub, err := conn.SubscribeSync(conn.NewInbox())
	if err != nil {
		return nil, err
	}
	if err := sub.SetPendingLimits(-1, -1); err != nil { // ahead and bytes limit them
		return nil, errors.Join(err, sub.Unsubscribe())
	}
	return &puller{
		conn:    conn,
		subject: "$JS.API.CONSUMER.MSG.NEXT." + stream + "." + consumer,
		sub:     sub,
		ahead:   ahead,
		bytes:   bytes,
		cancel:  func() {},
	}, nil
}

// close frees what the puller has in this process.
func (p *puller) close() {
	p.cancel()
	_ = p.sub.Unsubscribe() // fails if the connection is closed, which is the same
}

// next waits for the next message. It fails with errSilent or errIdle when the consumer has to be
// made again.
func (p *puller) next(ctx context.Context) (*nats.Msg, error) {
	for {
		if p.awaited <= p.ahead/2 && p.awaited < p.ahead {
			if err := p.request(p.ahead - p.awaited); err != nil {
				return nil, err
			}
		}
		m, err := p.sub.NextMsgWithContext(p.watch(ctx))
		switch {
		case err == nil && len(m.Reply) > 0 && m.Header.Get("Status") == "":
			p.awaited--
			return m, nil
		case err == nil:
			if err := p.status(m); err != nil {
				return nil, err
			}
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrNoResponders):
			return nil, errSilent
		default:
			return nil, err
		}
	}
}

// watch returns a context that ends silence after the last message, or up to a heartbeat later, so
// that a stream of messages needs few timers.
func (p *puller) watch(ctx context.Context) context.Context {
	if now := time.Now(); now.After(p.renew) {
		p.cancel()
		p.beat, p.cancel = context.WithTimeout(ctx, silence+heartbeat)
		p.renew = now.Add(heartbeat)
	}
	return p.beat
}

// request asks for n more messages.
func (p *puller) request(n int) error {
	request, err := json.Marshal(struct {
		Batch     int           `json:"batch"`
		Bytes     int           `json:"max_bytes,omitempty"`
		Expires   time.Duration `json:"expires"`
		Heartbeat time.Duration `json:"idle_heartbeat"`
	}{n, p.bytes, requestExpiry, heartbeat})
	if err != nil {
		return err
	}
	p.awaited += n
	return p.conn.PublishRequest(p.subject, p.sub.Subject, request)
}

// status handles a message of the broker itself.
func (p *puller) status(m *nats.Msg) error {
	code, description := m.Header.Get("Status"), m.Header.Get("Description")
	switch code {
	case "100": // a heartbeat
		if p.busy {
			return errIdle
		}
		return nil
	case "404", "408", "409":
		pending, err := strconv.Atoi(m.Header.Get("Nats-Pending-Messages"))
		if err == nil { // the request has ended, and these do not come
			p.awaited = max(0, p.awaited-pending)
			return nil
		}
		return errSilent // such as Consumer Deleted
	}
	return fmt.Errorf("the broker refuses to deliver: %s %s", code, description)
}

// delivery is what the reply subject of a message says about it.
type delivery struct {
	attempt  uint64
	sequence uint64 // in the stream
	number   uint64 // in the consumer
}

// deliveryOf reads $JS.ACK.stream.consumer.attempt.sequence.number.time.pending, which has two more
// names behind ACK if the broker has a domain.
func deliveryOf(reply string) (d delivery, err error) {
	fields := strings.Split(reply, ".")
	if len(fields) >= 11 {
		fields = fields[2:]
	}
	if len(fields) < 9 {
		return d, fmt.Errorf("the reply subject %q is none of JetStream", reply)
	}
	for i, number := range []*uint64{&d.attempt, &d.sequence, &d.number} {
		if *number, err = strconv.ParseUint(fields[4+i], 10, 64); err != nil {
			return d, err
		}
	}
	return d, nil
}
