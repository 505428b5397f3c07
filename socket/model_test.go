package socket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// The model of a connection: what both sides did in a life of it, and what the wire
// delivered, is compared with what they say about it.
//
//  1. Messages are handled once each, in the order in which they were written, and
//     nothing is behind one that ends the connection.
//  2. What was handled is in the carry, in that order, but for what was rejected.
//  3. Acknowledgements and responses are those of the messages that were handled, in
//     their order, each answer in one piece; pushes stand between the answers. There is no
//     acknowledgement of a rejected message, or one that is held, nor of what comes behind.
//  4. A client's calls say the truth: what they call acknowledged was, what they do not
//     call sent never leaves; when the connection broke, they count exactly what had been
//     acknowledged until then.
//  5. Each request gets its own response, and all other messages are read in order, once.
//  6. A call fails for a reason, and none goes on for ever. Nor does a goroutine: the bubble
//     of a world would not end.

// deed is what a message asks the server to do.
type deed string

const (
	doAnswer deed = "answer"
	doPush   deed = "push"   // something else to the client, before the answer
	doHold   deed = "hold"   // the answer, for a while
	doKeep   deed = "keep"   // the answer, for ever
	doReject deed = "reject" // the message
	doFinish deed = "finish" // the connection, behind the answer
	doClose  deed = "close"  // the same, from elsewhere
	doShut   deed = "shut"   // its own half of the connection
	doDie    deed = "die"
	doStop   deed = "stop" // the server
)

// last reports whether no message is handled behind one that asks for it.
func (d deed) last() bool { return d == doReject || d == doFinish || d == doClose }

// answered reports whether the answer to it may ever leave.
func (d deed) answered() bool { return d != doReject && d != doKeep }

// task is a message of the model. It carries what the server is to do with it.
type task struct {
	id        string // of the message: that of its life, and a number
	deed      deed
	responses int
	size      int // of each
	delay     int // in milliseconds, before the answer
}

func (k task) message(padding int) Message {
	return NewMessage(OctetStream(), fmt.Sprintf("%s %s %d %d %d %s",
		k.id, k.deed, k.responses, k.size, k.delay, strings.Repeat(".", padding)))
}

func taskOf(m Message) (k task) {
	fmt.Sscan(m.Content(), &k.id, &k.deed, &k.responses, &k.size, &k.delay)
	return k
}

// answer is the responses to it.
func (k task) answer() (responses []Message) {
	for i := range k.responses {
		responses = append(responses, Text(fmt.Sprintf("re %s %d %s", k.id, i, strings.Repeat(".", k.size))))
	}
	return responses
}

// push is messages that a server sent by themselves, at once.
type push struct {
	messages []Message
	err      error
	for_     string // the id of the message that asked for them, if one did
}

// attempt is what a client asked of its Process, and what it was told.
type attempt struct {
	tasks   []task
	asking  bool      // for responses
	emitted []Message // by SendAll: what was acknowledged; else the responses
	all     bool      // SendAll or RequestAll: emitted tells of each
	limited bool      // by a context that may end early
	err     error
}

// counts is how many of the messages of an attempt were acknowledged and sent, as it says.
func (c *attempt) counts() (acknowledged, sent int) {
	var e *SendError
	if errors.As(c.err, &e) {
		return e.Acknowledged, e.Sent
	}
	if c.err != nil {
		return 0, 0
	}
	return len(c.tasks), len(c.tasks)
}

// record is what is known of a life.
type record struct {
	dialect  Dialect
	up, down []byte // that the server, and the client, were delivered

	handled []task   // in the order in which the server began
	carry   []string // the ids that it folded
	pushes  []push

	calls   []*attempt
	read    []Message // that were no responses to requests
	drained bool      // all that came was read
	roomy   bool      // the client had room for all
	left    bool      // the client closed, or broke, the connection itself
	excused bool      // something was done that may make calls fail
	stuck   []error   // of what went on for ever, or failed as it must not
}

// sight is what the wire shows.
type sight struct {
	sent []task         // messages that the server was delivered whole
	at   map[string]int // where each stands among those
	tail string         // of up, behind the last whole frame

	acknowledged int
	replies      map[int]Message // by the place of the request
	other        []Message       // for the client, in order
	surely       int             // of those, how many came before the client may have stopped
	agreed       bool            // the server answered connection.close, or said it itself
}

// judge lists what is wrong with a life.
func (r *record) judge() (wrong []string) {
	said := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	s := r.look(said)
	r.judgeHandling(s, said)
	r.judgeAnswers(said)
	for _, c := range r.calls {
		r.judgeCall(c, s, said)
	}
	r.judgeReading(s, said)
	if r.drained && !r.left && !r.excused && !s.agreed {
		said("the client closed, and was not answered")
	}
	for _, err := range r.stuck {
		said("stuck: %v", err)
	}
	return wrong
}

type say func(format string, args ...any)

// look reads the wire as a client does, all bytes at hand.
func (r *record) look(said say) (s sight) {
	s.at, s.replies = map[string]int{}, map[int]Message{}
	upward, err := readAll(bytes.NewReader(r.up), 1<<30)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		said("the client breaks the protocol: %v", err)
	}
	s.tail = string(r.up[len(encodeFrames(upward)):])
	owed := 0
	closed := false
	for i, f := range upward {
		switch {
		case i == 0 && f.Kind != wire.KindStartOK:
			said("the client begins with %s", describe(f))
		case i > 0 && f.Kind == wire.KindStartOK, f.Kind == wire.KindStart, f.Kind == wire.KindReceived, closed && (f.Kind == wire.KindMessage || f.Kind == wire.KindClose):
			said("the client sends %s", describe(f))
		case f.Kind == wire.KindAck:
			owed--
		case f.Kind == wire.KindClose:
			closed = true
		case f.Kind == wire.KindMessage:
			k := taskOf(messageOf(f.Message))
			if _, again := s.at[k.id]; again {
				said("%s is sent twice", k.id)
			}
			s.at[k.id] = len(s.sent)
			s.sent = append(s.sent, k)
		}
	}
	owed += r.lookDown(&s)
	if owed < 0 {
		said("the client acknowledges %d more than it got", -owed)
	}
	return s
}

// lookDown reads what the client got, and returns how many acknowledgements it owes.
func (r *record) lookDown(s *sight) (owed int) {
	asking := map[string]bool{}
	for _, c := range r.calls {
		for _, k := range c.tasks {
			asking[k.id] = c.asking
		}
	}
	downward, _ := readAll(bytes.NewReader(r.down), 1<<30)
	s.surely = -1
	for _, f := range downward {
		switch f.Kind {
		case wire.KindAck, wire.KindReceived:
			s.acknowledged++
		case wire.KindClose:
			s.agreed = true
			if s.surely < 0 {
				s.surely = len(s.other)
			}
			return owed
		case wire.KindCloseOK:
			s.agreed = true
			s.surely = len(s.other)
		case wire.KindMessage:
			if r.dialect == Dialect5 && s.acknowledged > 0 {
				owed++
			}
			last := s.acknowledged - 1
			_, replied := s.replies[last]
			if last >= 0 && last < len(s.sent) && asking[s.sent[last].id] && !replied {
				s.replies[last] = messageOf(f.Message)
			} else {
				s.other = append(s.other, messageOf(f.Message))
			}
		}
	}
	if s.surely < 0 {
		s.surely = len(s.other)
	}
	return owed
}

// judgeHandling is 1 and 2.
func (r *record) judgeHandling(s sight, said say) {
	var folded []string
	for i, k := range r.handled {
		if i >= len(s.sent) || s.sent[i] != k {
			said("handled %s, which is not number %d of what was sent", k.id, i)
			return
		}
		if k.deed.last() && i < len(r.handled)-1 {
			said("%s was handled behind %s, which is a %s", r.handled[i+1].id, k.id, k.deed)
		}
		if k.deed != doReject {
			folded = append(folded, k.id)
		}
	}
	if !slices.Equal(r.carry, folded) {
		said("the carry is %v, not %v", r.carry, folded)
	}
}

// judgeAnswers is 3.
func (r *record) judgeAnswers(said say) {
	a := answers{record: r, pushed: make([]bool, len(r.pushes)), said: said}
	downward, err := readAll(bytes.NewReader(r.down), 1<<30)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		said("the server breaks the protocol: %v", err)
	}
	for i, f := range downward {
		if (i == 0) && f.Kind != wire.KindHeartbeat || (i == 1) != (f.Kind == wire.KindStart) {
			said("frame %d of the server is %s", i, describe(f))
		}
		a.next(f)
	}
}

// answers follows what a server sends.
type answers struct {
	*record
	count   int       // of answers that began
	due     []Message // of an answer, or a push, that has begun
	pushed  []bool
	goodbye int
	said    say
}

func (a *answers) next(f wire.Frame) {
	if len(a.due) > 0 {
		if f.Kind != wire.KindMessage || messageOf(f.Message) != a.due[0] {
			a.said("%s stands where %s belongs", describe(f), describeMessage(a.due[0]))
			a.due = nil
			return
		}
		a.due = a.due[1:]
		return
	}
	switch f.Kind {
	case wire.KindAck, wire.KindReceived:
		a.acknowledgement(f.Kind)
	case wire.KindMessage:
		a.push(messageOf(f.Message))
	case wire.KindStartOK:
		a.said("the server sends start-ok")
	case wire.KindClose:
		if a.goodbye++; a.goodbye > 1 {
			a.said("the server closes twice")
		}
	}
}

func (a *answers) acknowledgement(k wire.Kind) {
	if k != a.dialect.acknowledgement() {
		a.said("acknowledged in the other dialect")
	}
	if a.count == len(a.handled) {
		a.said("%d are acknowledged and %d handled", a.count+1, len(a.handled))
		return
	}
	t := a.handled[a.count]
	if !t.deed.answered() {
		a.said("%s is acknowledged, which is a %s", t.id, t.deed)
	}
	for i, p := range a.pushes {
		if p.for_ == t.id && p.err == nil && !a.pushed[i] {
			a.said("what was pushed for %s is behind its answer, or lost", t.id)
		}
	}
	a.due = t.answer()
	a.count++
}

func (a *answers) push(m Message) {
	i := slices.IndexFunc(a.pushes, func(p push) bool { return p.messages[0] == m })
	if i < 0 || a.pushed[i] {
		a.said("%s answers nothing and was not pushed, or twice", describeMessage(m))
		return
	}
	a.pushed[i] = true
	a.due = a.pushes[i].messages[1:]
}

// judgeCall is 4, 5 as far as requests are concerned, and 6.
func (r *record) judgeCall(c *attempt, s sight, said say) {
	acknowledged, sent := c.counts()
	if acknowledged < 0 || acknowledged > sent || sent > len(c.tasks) {
		said("%d acknowledged, %d sent of %d: %v", acknowledged, sent, len(c.tasks), c.err)
		return
	}
	truly, before := 0, -1
	for i, k := range c.tasks {
		place, whole := s.at[k.id]
		switch {
		case whole && place <= before:
			said("%s overtook the one before", k.id)
		case i < acknowledged && (!whole || place >= s.acknowledged):
			said("%s is said to be acknowledged: %v", k.id, c.err)
		case i >= sent && (whole || strings.Contains(s.tail, k.id+" ")):
			said("%s is said not to be sent: %v", k.id, c.err)
		case i < sent && !whole && !r.excused && !r.left:
			said("%s is said to be sent: %v", k.id, c.err)
		}
		if whole {
			before = place
			if place < s.acknowledged {
				truly++
			}
		}
	}
	if broke := errors.Is(c.err, io.ErrUnexpectedEOF) || errors.Is(c.err, ErrDisconnected); broke && !r.left && acknowledged != truly {
		said("the connection broke and %d are said to be acknowledged, of %d: %v", acknowledged, truly, c.err)
	}
	r.judgeEmitted(c, acknowledged, s, said)
	r.judgeFailure(c, said)
}

// judgeEmitted compares what a call gave.
func (r *record) judgeEmitted(c *attempt, acknowledged int, s sight, said say) {
	if len(c.emitted) > acknowledged || (c.all || c.asking) && c.err == nil && len(c.emitted) != len(c.tasks) {
		said("%d emitted, %d acknowledged: %v", len(c.emitted), acknowledged, c.err)
	}
	for i, m := range c.emitted {
		k := c.tasks[min(i, len(c.tasks)-1)]
		switch {
		case !c.asking && taskOf(m) != k:
			said("%s is emitted in place of %s", describeMessage(m), k.id)
		case c.asking && s.replies[s.at[k.id]] != m:
			said("%s is no response to %s", describeMessage(m), k.id)
		}
	}
}

// judgeFailure is 6.
func (r *record) judgeFailure(c *attempt, said say) {
	switch {
	case c.err == nil:
	case errors.Is(c.err, context.DeadlineExceeded):
		if !c.limited {
			said("stuck: %v", c.err)
		}
	case r.excused, errors.Is(c.err, ErrUnread) && !r.roomy:
	case errors.Is(c.err, ErrNoResponse):
		if !slices.ContainsFunc(c.tasks, func(k task) bool { return k.responses == 0 }) {
			said("all requests were responded to: %v", c.err)
		}
	default:
		said("failed without a reason: %v", c.err)
	}
}

// judgeReading is 5.
func (r *record) judgeReading(s sight, said say) {
	rest := s.other
	for _, m := range r.read {
		i := slices.Index(rest, m)
		if i < 0 || i > 0 && r.roomy {
			said("%s was read out of turn, or did not come", describeMessage(m))
			return
		}
		rest = rest[i+1:]
	}
	if r.drained && r.roomy && !r.left && len(r.read) < s.surely {
		said("%d messages were read of %d", len(r.read), s.surely)
	}
}

// TestTheModelFindsWhatIsWrong has lives judged in which one thing is wrong.
func TestTheModelFindsWhatIsWrong(t *testing.T) {
	a := task{id: "00.0000", deed: doAnswer, responses: 2}
	b := task{id: "00.0001", deed: doPush, responses: 1}
	c := task{id: "00.0002", deed: doReject, responses: 1}
	x := Text("push x")
	right := func() *record {
		return &record{
			dialect: Dialect5,
			up:      encode(wire.KindStartOK, a.message(0), b.message(0), wire.KindAck, c.message(0), wire.KindAck),
			down:    encode(wire.KindHeartbeat, wire.KindStart, wire.KindAck, a.answer()[0], a.answer()[1], x, wire.KindHeartbeat, wire.KindAck, b.answer()[0], wire.KindClose),
			handled: []task{a, b, c},
			carry:   []string{a.id, b.id},
			pushes:  []push{{messages: []Message{x}, for_: b.id}},
			calls: []*attempt{
				{tasks: []task{a}},
				{tasks: []task{b, c}, asking: true, all: true, emitted: b.answer(), err: &SendError{Acknowledged: 1, Sent: 2, Err: ErrDisconnected}},
			},
			read:    []Message{a.answer()[0], a.answer()[1], x},
			drained: true, roomy: true, excused: true,
		}
	}
	if wrong := right().judge(); wrong != nil {
		t.Error(wrong)
	}
	for says, spoil := range map[string]func(*record){
		"is not number":        func(r *record) { r.handled[0], r.handled[1] = b, a },
		"handled behind":       func(r *record) { r.handled = []task{c, a}; r.up = encode(wire.KindStartOK, c.message(0), a.message(0)) },
		"the carry":            func(r *record) { r.carry = r.carry[1:] },
		"other dialect":        func(r *record) { r.dialect = Dialect4 },
		"are acknowledged and": func(r *record) { r.handled, r.carry = nil, nil },
		"which is a reject":    func(r *record) { r.down = append(r.down, encode(wire.KindAck, c.answer()[0])...) },
		"belongs":              func(r *record) { r.down = encode(wire.KindHeartbeat, wire.KindStart, wire.KindAck, a.answer()[1]) },
		"or lost": func(r *record) {
			r.down = encode(wire.KindHeartbeat, wire.KindStart, wire.KindAck, a.answer()[0], a.answer()[1], wire.KindAck)
		},
		"was not pushed":          func(r *record) { r.pushes = nil },
		"closes twice":            func(r *record) { r.down = append(r.down, encode(wire.KindClose)...) },
		"frame 0 of the server":   func(r *record) { r.down = r.down[len(encode(wire.KindHeartbeat)):] },
		"client begins":           func(r *record) { r.up = r.up[len(encode(wire.KindStartOK)):] },
		"client sends":            func(r *record) { r.up = append(r.up, encode(wire.KindClose, wire.KindClose)...) },
		"sent twice":              func(r *record) { r.up = append(r.up, encode(c.message(0))...) },
		"more than it got":        func(r *record) { r.up = append(r.up, encode(wire.KindAck, wire.KindAck, wire.KindAck)...) },
		"the server breaks":       func(r *record) { r.down = append(r.down, encode([]byte(raw("x", 1, "x", 0xCE)))...) },
		"said to be acknowledged": func(r *record) { r.calls[0].tasks = []task{c} },
		"said not to be sent":     func(r *record) { r.calls[1].err = &SendError{Acknowledged: 1, Sent: 1, Err: ErrDisconnected} },
		"said to be sent":         func(r *record) { r.excused, r.up = false, r.up[:len(r.up)-40] },
		"overtook":                func(r *record) { r.calls[1].tasks = []task{c, b} },
		"connection broke and 0":  func(r *record) { r.calls[1].err = &SendError{Sent: 2, Err: ErrDisconnected} },
		"1 acknowledged, 0 sent":  func(r *record) { r.calls[1].err = &SendError{Acknowledged: 1, Err: ErrDisconnected} },
		"is no response to":       func(r *record) { r.calls[1].emitted = a.answer()[:1] },
		"2 emitted":               func(r *record) { r.calls[1].emitted = a.answer() },
		"in place of":             func(r *record) { r.calls[0].emitted = []Message{b.message(0)} },
		"without a reason":        func(r *record) { r.excused = false },
		"was not answered":        func(r *record) { r.excused = false; r.down = r.down[:len(r.down)-len(encode(wire.KindClose))] },
		"stuck":                   func(r *record) { r.calls[1].err = &SendError{Acknowledged: 1, Sent: 2, Err: context.DeadlineExceeded} },
		"were responded to": func(r *record) {
			r.excused = false
			r.calls[1].err = &SendError{Acknowledged: 1, Sent: 2, Err: ErrNoResponse}
		},
		"read out of turn":           func(r *record) { r.read = r.read[1:] },
		"2 messages were read of 3":  func(r *record) { r.read = r.read[:2] },
		"or did not come":            func(r *record) { r.read = append(r.read, x) },
		"which is not number 3 of":   func(r *record) { r.handled = append(r.handled, a) },
		"server sends start-ok":      func(r *record) { r.down = append(r.down, encode(wire.KindStartOK)...) },
		"the client breaks the prot": func(r *record) { r.up = append(r.up, encode([]byte(raw("x", 1, "x", 0xCE)))...) },
	} {
		r := right()
		spoil(r)
		if wrong := r.judge(); !strings.Contains(strings.Join(wrong, "\n"), says) {
			t.Errorf("found %q, not %q", wrong, says)
		}
	}
}
