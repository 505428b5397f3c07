package nats

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// link carries the sessions of a transport over its connection to NATS. It begins with the first
// use. It ends with the connection, which belongs to the user.
type link struct {
	subjects
	nats   *nats.Conn
	config Config

	begin   sync.Once
	failure error // of begin

	mu        sync.RWMutex
	receivers map[string]receiver // by the token of their session

	connected  atomic.Bool
	maxPayload atomic.Int64 // of the broker

	windows atomic.Int64 // bytes that sessions may send to this process beyond their first window
	stuck   atomic.Bool  // the connection takes no messages

	queueMu sync.Mutex
	queue   []*Conn // with messages to publish
	strays  []stray
	wake    chan struct{} // has a value if queue or strays has
	ended   chan struct{} // closed with the connection
	buffers sync.Pool
}

// receiver gets the messages for a session, on the goroutine that gets all messages. It must not block.
type receiver interface {
	receive(m *nats.Msg)
	disconnected(error) // from NATS; nats.ErrConnectionClosed means for good
	tick()              // after each Config.KeepAlive, and when NATS is connected again
}

// stray is a message that is not of a session.
type stray struct {
	to, reply string
	message   []byte
}

const (
	// piece is the length of most messages of a long stream. It is less if the broker allows less.
	piece = 64 << 10
	// firstWindow is the window of a session in which nothing was read.
	firstWindow = 16 << 10
	// silentPeriods is the number of periods without a sign of life after which a session ends.
	silentPeriods = 3
	// closeTime limits the time for which Close waits for the connection to take the last message.
	closeTime = 100 * time.Millisecond
	// mostStrays bounds the answers that wait to be published.
	mostStrays = 1024
)

// ready begins the link, at its first call.
func (l *link) ready() error {
	l.begin.Do(func() { l.failure = l.start() })
	return l.failure
}

func (l *link) start() error {
	l.receivers = make(map[string]receiver)
	l.wake, l.ended = make(chan struct{}, 1), make(chan struct{})
	status := l.nats.StatusChanged(nats.CONNECTED, nats.RECONNECTING, nats.DISCONNECTED, nats.CLOSED)
	if l.nats.IsClosed() { // then no status comes
		return nats.ErrConnectionClosed
	}
	l.connect(l.nats.IsConnected())
	l.buffers.New = func() any { return new(make([]byte, headerLen, 1<<10)) }
	if _, err := l.subscribe(l.inbox()+"*.*", "", l.deliver); err != nil {
		l.nats.RemoveStatusListener(status)
		return err
	}
	go l.publishAll()
	go l.watch(status)
	return nil
}

// connect notes whether there is a connection, and the limit of its broker.
func (l *link) connect(connected bool) {
	l.connected.Store(connected)
	l.maxPayload.Store(cmp.Or(l.nats.MaxPayload(), piece)) // 0 before the first connection
}

// subscribe subscribes without a limit of what waits for f: windows limit that.
func (l *link) subscribe(subject, queue string, f nats.MsgHandler) (*nats.Subscription, error) {
	s, err := l.nats.QueueSubscribe(subject, queue, f)
	if err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", subject, err)
	}
	return s, s.SetPendingLimits(-1, -1)
}

// deliver gives a message to its receiver. The sender of one for an unknown session gets a reset.
func (l *link) deliver(m *nats.Msg) {
	tokens := m.Subject[len(l.inbox()):]
	session := tokens[:max(0, len(cutLast(tokens))-1)]
	l.mu.RLock()
	r := l.receivers[session]
	l.mu.RUnlock()
	switch {
	case r != nil:
		r.receive(m)
	case len(m.Data) >= headerLen && m.Data[0]&flagReset == 0:
		l.refuse(m.Reply, flagReset, "the session is unknown")
	}
}

// refuse answers with flags in the place of a session.
func (l *link) refuse(to string, flags byte, reason string) {
	message := make([]byte, headerLen, headerLen+len(reason))
	frame{flags: flags}.putHeader(message)
	l.answer(to, append(message, reason...))
}

// ask publishes a message of this process that is not of a session.
func (l *link) ask(to, reply string, message []byte) {
	l.queueMu.Lock()
	l.strays = append(l.strays, stray{to, reply, message})
	l.queueMu.Unlock()
	l.wakeUp()
}

// answer answers a message that is not of a session. Nobody can make this process keep many answers.
func (l *link) answer(to string, message []byte) {
	l.queueMu.Lock()
	full := len(l.strays) >= mostStrays
	l.queueMu.Unlock()
	if !full && l.isInbox(to) {
		l.ask(l.from(to), "", message)
	}
}

// enqueue lets a session publish its next message.
func (l *link) enqueue(c *Conn) {
	l.queueMu.Lock()
	l.queue = append(l.queue, c)
	l.queueMu.Unlock()
	l.wakeUp()
}

func (l *link) wakeUp() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// publishAll publishes messages until the connection ends. It alone waits if the connection takes
// none, so that deadlines and Close of a session need not.
func (l *link) publishAll() {
	var queue []*Conn
	var strays []stray
	for {
		select {
		case <-l.wake:
		case <-l.ended:
			return
		}
		l.queueMu.Lock()
		queue, l.queue = l.queue, queue[:0]
		strays, l.strays = l.strays, strays[:0]
		l.queueMu.Unlock()
		for _, s := range strays {
			l.nats.PublishMsg(&nats.Msg{Subject: s.to, Reply: s.reply, Data: s.message}) // who asked finds no answer if it fails
		}
		for _, c := range queue {
			c.publish()
		}
		l.stuck.Store(false)
		clear(queue)
		clear(strays)
	}
}

// await waits a moment until the connection has taken the last message of a session.
func (l *link) await(published <-chan struct{}) {
	if l.stuck.Load() {
		return
	}
	timer := time.NewTimer(closeTime)
	defer timer.Stop()
	select {
	case <-published:
	case <-l.ended:
	case <-timer.C:
		l.stuck.Store(true)
	}
}

// watch ends the sessions when the connection is lost, and measures periods.
func (l *link) watch(status chan nats.Status) {
	period := time.NewTicker(l.config.KeepAlive)
	defer period.Stop()
	for {
		select {
		case s := <-status:
			l.connect(s == nats.CONNECTED)
			l.changed(s)
			if s == nats.CLOSED {
				close(l.ended)
				return
			}
		case <-period.C:
			l.each(receiver.tick)
		}
	}
}

// changed reports a new state of the connection to the receivers.
func (l *link) changed(s nats.Status) {
	switch s {
	case nats.CONNECTED:
		l.each(receiver.tick)
	case nats.CLOSED:
		l.each(func(r receiver) { r.disconnected(nats.ErrConnectionClosed) })
	default:
		l.each(func(r receiver) { r.disconnected(errLost) })
	}
}

var errLost = errors.New("the connection to NATS was lost")

// each calls f with each receiver.
func (l *link) each(f func(receiver)) {
	l.mu.RLock()
	all := make([]receiver, 0, len(l.receivers))
	for _, r := range l.receivers {
		all = append(all, r)
	}
	l.mu.RUnlock()
	for _, r := range all {
		f(r)
	}
}

// newSession returns a token for a session.
func newSession() string {
	var b [8]byte
	rand.Read(b[:])
	return strconv.FormatUint(binary.NativeEndian.Uint64(b[:]), 36)
}

// add makes a receiver reachable.
func (l *link) add(session string, r receiver) {
	l.mu.Lock()
	l.receivers[session] = r
	l.mu.Unlock()
}

// drop makes a receiver unreachable. It reports whether it was reachable.
func (l *link) drop(session string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.receivers[session]
	delete(l.receivers, session)
	return ok
}

// remove makes a session unreachable and gives its window back.
func (l *link) remove(c *Conn) {
	if !l.drop(c.session) {
		return
	}
	c.mu.Lock()
	l.windows.Add(-int64(c.window - min(firstWindow, l.config.Window)))
	c.mu.Unlock()
}

// reserve makes a window larger, if the windows of all sessions stay below their limit.
func (l *link) reserve(more int) bool {
	if l.windows.Add(int64(more)) <= int64(l.config.InFlight) {
		return true
	}
	l.windows.Add(-int64(more))
	return false
}

// longestPiece returns how many bytes of a stream a message may have.
func (l *link) longestPiece() int64 {
	return min(piece, l.maxPayload.Load()) - headerLen
}

// buffer returns a buffer for a message, which has room for a header. It grows as bytes are added.
func (l *link) buffer() []byte { return (*l.buffers.Get().(*[]byte))[:headerLen] }

func (l *link) recycle(buffer []byte) { l.buffers.Put(&buffer) }
