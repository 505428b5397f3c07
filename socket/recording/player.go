package recording

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// Difference is something that differed from the recording when that was played.
type Difference struct {
	Connection int           // its number in the recording
	Time       time.Duration // in the recording
	Side       Side          // the side that did not do as recorded
	Recorded   Entry         // what it did in the recording; zero if that has nothing here
	Got        Entry         // what it did now; zero if it did nothing
	Err        error         // why the connection could not be made or written to, if it could not
}

// String is the difference in a sentence.
func (d Difference) String() string {
	where := fmt.Sprintf("connection %d, %v: ", d.Connection, d.Time)
	switch {
	case d.Err != nil:
		return where + d.Err.Error()
	case d.Got == Entry{}:
		return where + fmt.Sprintf("the recorded %s sent %v, this one sent nothing", d.Side, d.Recorded)
	case d.Recorded == Entry{}:
		return where + fmt.Sprintf("the %s sent %v, of which the recording has nothing", d.Side, d.Got)
	}
	return where + fmt.Sprintf("the recorded %s sent %v, this one sent %v", d.Side, d.Recorded, d.Got)
}

// defaultPatience is the default of Player.Patience.
const defaultPatience = 5 * time.Second

// Player plays one side of a recording.
type Player struct {
	// Fast sends each frame as soon as the other side has sent what it had sent before it in the
	// recording. Otherwise it is also not sent before its time.
	Fast bool

	// Patience is how much later than in the recording the other side may be; default 5 s.
	Patience time.Duration
}

// play plays one side of a connection, and closes conn. It sends each entry of this side once the
// other side has sent all that was before it in the recording. Heartbeats of the other side are
// ignored, and acknowledgements of a client, whose places among its messages are free. After a
// frame that is of another kind, or does not come, the rest is not played.
func (p Player) play(ctx context.Context, conn net.Conn, side Side, entries []Entry) []Difference {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if p.Patience <= 0 {
		p.Patience = defaultPatience
	}
	s := &stage{Player: p, ctx: ctx, conn: conn, side: side, begin: time.Now(), news: make(chan struct{}, 1)}
	go s.receive()
	s.first, s.reached = entries[0].Time, entries[0].Time
	for i, e := range entries {
		if !s.perform(e, entries[i+1:]) {
			break
		}
		s.reached = e.Time
	}
	if s.over || ctx.Err() != nil {
		return s.found
	}
	if more, some := s.take(0); some && more.Kind != End && len(s.found) == 0 {
		s.differs(Entry{Connection: entries[0].Connection}, more)
	}
	s.leave()
	return s.found
}

// stage is a connection that is played.
type stage struct {
	Player
	ctx            context.Context
	conn           net.Conn
	side           Side // that is played
	begin          time.Time
	first, reached time.Duration // the times of the first entry, and of the last one that was played
	marked         bool          // the other side, a server, is one of rxipc
	over           bool          // the connection has ended
	found          []Difference

	mu       sync.Mutex
	received []Entry // and not taken yet
	news     chan struct{}
}

// receive reads what the other side sends, until the connection ends.
func (s *stage) receive() {
	var split splitter
	buffer := make([]byte, 32<<10)
	for {
		n, err := s.conn.Read(buffer)
		entries := split.split(buffer[:n])
		if err != nil {
			if rest, some := split.rest(); some {
				entries = append(entries, rest)
			}
			entries = append(entries, Entry{Kind: End})
		}
		s.mu.Lock()
		s.received = append(s.received, entries...)
		s.mu.Unlock()
		select {
		case s.news <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// take returns the next frame that counts, or End, if it comes within a time.
func (s *stage) take(within time.Duration) (e Entry, ok bool) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		s.mu.Lock()
		for len(s.received) > 0 && !ok {
			e, s.received = s.received[0], s.received[1:]
			s.marked = s.marked || e.Kind == Heartbeat
			ok = s.counts(e)
		}
		s.mu.Unlock()
		if ok {
			return e, true
		}
		select {
		case <-s.news:
		case <-timer.C:
			return Entry{}, false
		case <-s.ctx.Done():
			return Entry{}, false
		}
	}
}

// counts reports whether an entry of the other side has its place in the order.
func (s *stage) counts(e Entry) bool {
	return e.Kind != Heartbeat && (s.side == Client || e.Kind != Ack && e.Kind != Received)
}

// perform sends an entry of this side, with those that follow in the same write, or waits for one
// of the other. It returns false if the rest cannot be played. With close-ok the connection is over:
// which side closes it first says nothing.
func (s *stage) perform(e Entry, following []Entry) bool {
	switch {
	case e.Kind == Open, e.From == s.side && e.Joined: // that was sent with the one before it
		return true
	case e.From == s.side && e.Kind == End:
		s.await(s.ctx, s.due(e))
		s.over = true
		return false
	case e.From == s.side:
		s.over = !s.send(e, following)
	case s.counts(e) && !s.expect(e):
		return false
	}
	s.over = s.over || e.Kind == CloseOK
	return !s.over
}

// due returns when an entry is due.
func (s *stage) due(e Entry) time.Time { return s.begin.Add(e.Time - s.first) }

func (s *stage) send(e Entry, following []Entry) bool {
	s.await(s.ctx, s.due(e))
	bytes := s.spelled(e).wire(nil)
	for _, next := range following {
		if next.From == s.side && !next.Joined {
			break
		}
		if next.From == s.side {
			bytes = s.spelled(next).wire(bytes)
		}
	}
	s.conn.SetWriteDeadline(time.Now().Add(s.Patience))
	if _, err := s.conn.Write(bytes); err != nil {
		s.found = append(s.found, Difference{Connection: e.Connection, Time: e.Time, Side: s.side.other(), Recorded: e, Err: err})
		return false
	}
	return true
}

// spelled returns an entry as this server understands it: only one of rxipc knows the mark of an
// rxipc client.
func (s *stage) spelled(e Entry) Entry {
	if e.Kind == StartOK && !s.marked {
		e.MediaType = ""
	}
	return e
}

// expect waits for what the other side did in the recording.
func (s *stage) expect(e Entry) bool {
	due := max(0, e.Time-s.reached)
	if !s.Fast {
		due = max(0, time.Until(s.due(e)))
	}
	got, _ := s.take(due + s.Patience)
	if s.ctx.Err() != nil {
		return false
	}
	if !equal(e, got) {
		s.differs(e, got)
	}
	s.over = got.Kind == End
	return got.Kind == e.Kind && !s.over
}

// equal compares an entry with what came. Of a content that was cut it compares what is there.
func equal(recorded, got Entry) bool {
	if recorded.Kind != got.Kind || recorded.MediaType != got.MediaType {
		return false
	}
	return len(recorded.Content)+recorded.Missing == len(got.Content) && strings.HasPrefix(got.Content, recorded.Content)
}

func (s *stage) differs(recorded, got Entry) {
	d := Difference{Connection: recorded.Connection, Time: recorded.Time, Side: s.side.other(), Recorded: recorded, Got: got}
	if recorded.Kind == "" {
		d.Recorded = Entry{}
		d.Time = s.reached
	}
	s.found = append(s.found, d)
}

// leave closes a connection whose end is not in the recording. A server of innmind/ipc does not
// bear a client that only hangs up.
func (s *stage) leave() {
	s.conn.SetWriteDeadline(time.Now().Add(s.Patience))
	if _, err := io.WriteString(s.conn, wire.KindClose.Frame()); err != nil {
		return
	}
	for {
		if e, ok := s.take(s.Patience); !ok || e.Kind == CloseOK || e.Kind == End {
			return
		}
	}
}
