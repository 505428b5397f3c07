package socket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// The model of a connection. A visit is one connection of a client, from the handshake to the
// end. The tests compare what both sides say about a visit with what they did, and with what
// the wire delivered. These are the rules:
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

// action is what a message asks the server to do.
type action string

const (
	doAnswer action = "answer"
	doPush   action = "push"   // something else to the client, before the answer
	doHold   action = "hold"   // the answer, for a while
	doKeep   action = "keep"   // the answer, for ever
	doReject action = "reject" // the message
	doFinish action = "finish" // the connection, behind the answer
	doClose  action = "close"  // the same, from elsewhere
	doShut   action = "shut"   // its own half of the connection
	doDie    action = "die"
	doStop   action = "stop" // the server
)

// last reports whether no message is handled behind one that asks for it.
func (d action) last() bool { return d == doReject || d == doFinish || d == doClose }

// answered reports whether the answer to it may ever leave.
func (d action) answered() bool { return d != doReject && d != doKeep }

// step is a message of the model. Its content tells the server what to do with it.
type step struct {
	id        string // of the message: that of its visit, and a number
	action    action
	responses int
	size      int // of each
	delay     int // in milliseconds, before the answer
}

func (k step) message(padding int) Message {
	return NewMessage(OctetStream(), fmt.Sprintf("%s %s %d %d %d %s",
		k.id, k.action, k.responses, k.size, k.delay, strings.Repeat(".", padding)))
}

func stepOf(m Message) (k step) {
	fmt.Sscan(m.Content(), &k.id, &k.action, &k.responses, &k.size, &k.delay)
	return k
}

// answer is the responses to it.
func (k step) answer() (responses []Message) {
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

// attempt is a call of a Process, and its result.
type attempt struct {
	steps   []step
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
	return len(c.steps), len(c.steps)
}

// record is what is known of a visit.
type record struct {
	dialect  Dialect
	up, down []byte // that the server, and the client, were delivered

	handled []step   // in the order in which the server began
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

// observation is what the bytes on the wire show.
type observation struct {
	sent []step         // messages that the server was delivered whole
	at   map[string]int // where each stands among those
	tail string         // of up, behind the last whole frame

	acknowledged int
	replies      map[int]Message // by the place of the request
	other        []Message       // for the client, in order
	surely       int             // of those, how many came before the client may have stopped
	agreed       bool            // the server answered connection.close, or said it itself
}

// check lists what is wrong with a visit.
func (r *record) check() (wrong []string) {
	report := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	s := r.observe(report)
	r.checkHandling(s, report)
	r.checkAnswers(report)
	for _, c := range r.calls {
		r.checkCall(c, s, report)
	}
	r.checkReading(s, report)
	if r.drained && !r.left && !r.excused && !s.agreed {
		report("the client closed, and was not answered")
	}
	for _, err := range r.stuck {
		report("stuck: %v", err)
	}
	return wrong
}

type reportFunc func(format string, args ...any)

// observe reads the bytes of the wire as a client does.
func (r *record) observe(report reportFunc) (s observation) {
	s.at, s.replies = map[string]int{}, map[int]Message{}
	upward, err := readAll(bytes.NewReader(r.up), 1<<30)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		report("the client breaks the protocol: %v", err)
	}
	s.tail = string(r.up[len(encodeFrames(upward)):])
	owed := 0
	closed := false
	for i, f := range upward {
		switch {
		case i == 0 && f.Kind != wire.KindStartOK:
			report("the client begins with %s", describe(f))
		case i > 0 && f.Kind == wire.KindStartOK, f.Kind == wire.KindStart, f.Kind == wire.KindReceived, closed && (f.Kind == wire.KindMessage || f.Kind == wire.KindClose):
			report("the client sends %s", describe(f))
		case f.Kind == wire.KindAck:
			owed--
		case f.Kind == wire.KindClose:
			closed = true
		case f.Kind == wire.KindMessage:
			k := stepOf(messageOf(f.Message))
			if _, again := s.at[k.id]; again {
				report("%s is sent twice", k.id)
			}
			s.at[k.id] = len(s.sent)
			s.sent = append(s.sent, k)
		}
	}
	owed += r.observeAnswers(&s)
	if owed < 0 {
		report("the client acknowledges %d more than it got", -owed)
	}
	return s
}

// observeAnswers reads what the client got, and returns how many acknowledgements it owes.
func (r *record) observeAnswers(s *observation) (owed int) {
	asking := map[string]bool{}
	for _, c := range r.calls {
		for _, k := range c.steps {
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

// checkHandling checks rules 1 and 2.
func (r *record) checkHandling(s observation, report reportFunc) {
	var folded []string
	for i, k := range r.handled {
		if i >= len(s.sent) || s.sent[i] != k {
			report("handled %s, which is not number %d of what was sent", k.id, i)
			return
		}
		if k.action.last() && i < len(r.handled)-1 {
			report("%s was handled behind %s, which is a %s", r.handled[i+1].id, k.id, k.action)
		}
		if k.action != doReject {
			folded = append(folded, k.id)
		}
	}
	if !slices.Equal(r.carry, folded) {
		report("the carry is %v, not %v", r.carry, folded)
	}
}

// checkAnswers checks rule 3.
func (r *record) checkAnswers(report reportFunc) {
	a := answerJudge{record: r, pushed: make([]bool, len(r.pushes)), report: report}
	downward, err := readAll(bytes.NewReader(r.down), 1<<30)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		report("the server breaks the protocol: %v", err)
	}
	for i, f := range downward {
		if (i == 0) && f.Kind != wire.KindHeartbeat || (i == 1) != (f.Kind == wire.KindStart) {
			report("frame %d of the server is %s", i, describe(f))
		}
		a.next(f)
	}
}

// answerJudge follows what a server sends.
type answerJudge struct {
	*record
	count   int       // of answers that began
	due     []Message // of an answer, or a push, that has begun
	pushed  []bool
	goodbye int
	report  reportFunc
}

func (a *answerJudge) next(f wire.Frame) {
	if len(a.due) > 0 {
		if f.Kind != wire.KindMessage || messageOf(f.Message) != a.due[0] {
			a.report("%s stands where %s belongs", describe(f), describeMessage(a.due[0]))
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
		a.report("the server sends start-ok")
	case wire.KindClose:
		if a.goodbye++; a.goodbye > 1 {
			a.report("the server closes twice")
		}
	}
}

func (a *answerJudge) acknowledgement(k wire.Kind) {
	if k != a.dialect.acknowledgement() {
		a.report("acknowledged in the other dialect")
	}
	if a.count == len(a.handled) {
		a.report("%d are acknowledged and %d handled", a.count+1, len(a.handled))
		return
	}
	t := a.handled[a.count]
	if !t.action.answered() {
		a.report("%s is acknowledged, which is a %s", t.id, t.action)
	}
	for i, p := range a.pushes {
		if p.for_ == t.id && p.err == nil && !a.pushed[i] {
			a.report("what was pushed for %s is behind its answer, or lost", t.id)
		}
	}
	a.due = t.answer()
	a.count++
}

func (a *answerJudge) push(m Message) {
	i := slices.IndexFunc(a.pushes, func(p push) bool { return p.messages[0] == m })
	if i < 0 || a.pushed[i] {
		a.report("%s answers nothing and was not pushed, or twice", describeMessage(m))
		return
	}
	a.pushed[i] = true
	a.due = a.pushes[i].messages[1:]
}

// checkCall checks rules 4 and 6, and rule 5 for requests.
func (r *record) checkCall(c *attempt, s observation, report reportFunc) {
	acknowledged, sent := c.counts()
	if acknowledged < 0 || acknowledged > sent || sent > len(c.steps) {
		report("%d acknowledged, %d sent of %d: %v", acknowledged, sent, len(c.steps), c.err)
		return
	}
	truly, before := 0, -1
	for i, k := range c.steps {
		place, whole := s.at[k.id]
		switch {
		case whole && place <= before:
			report("%s overtook the one before", k.id)
		case i < acknowledged && (!whole || place >= s.acknowledged):
			report("%s is said to be acknowledged: %v", k.id, c.err)
		case i >= sent && (whole || strings.Contains(s.tail, k.id+" ")):
			report("%s is said not to be sent: %v", k.id, c.err)
		case i < sent && !whole && !r.excused && !r.left:
			report("%s is said to be sent: %v", k.id, c.err)
		}
		if whole {
			before = place
			if place < s.acknowledged {
				truly++
			}
		}
	}
	if broke := errors.Is(c.err, io.ErrUnexpectedEOF) || errors.Is(c.err, ErrDisconnected); broke && !r.left && acknowledged != truly {
		report("the connection broke and %d are said to be acknowledged, of %d: %v", acknowledged, truly, c.err)
	}
	r.checkEmitted(c, acknowledged, s, report)
	r.checkFailure(c, report)
}

// checkEmitted checks what a call gave.
func (r *record) checkEmitted(c *attempt, acknowledged int, s observation, report reportFunc) {
	if len(c.emitted) > acknowledged || (c.all || c.asking) && c.err == nil && len(c.emitted) != len(c.steps) {
		report("%d emitted, %d acknowledged: %v", len(c.emitted), acknowledged, c.err)
	}
	for i, m := range c.emitted {
		k := c.steps[min(i, len(c.steps)-1)]
		switch {
		case !c.asking && stepOf(m) != k:
			report("%s is emitted in place of %s", describeMessage(m), k.id)
		case c.asking && s.replies[s.at[k.id]] != m:
			report("%s is no response to %s", describeMessage(m), k.id)
		}
	}
}

// checkFailure checks rule 6.
func (r *record) checkFailure(c *attempt, report reportFunc) {
	switch {
	case c.err == nil:
	case errors.Is(c.err, context.DeadlineExceeded):
		if !c.limited {
			report("stuck: %v", c.err)
		}
	case r.excused, errors.Is(c.err, ErrUnread) && !r.roomy:
	case errors.Is(c.err, ErrNoResponse):
		if !slices.ContainsFunc(c.steps, func(k step) bool { return k.responses == 0 }) {
			report("all requests were responded to: %v", c.err)
		}
	default:
		report("failed without a reason: %v", c.err)
	}
}

// checkReading checks rule 5 for messages that are no responses.
func (r *record) checkReading(s observation, report reportFunc) {
	rest := s.other
	for _, m := range r.read {
		i := slices.Index(rest, m)
		if i < 0 || i > 0 && r.roomy {
			report("%s was read out of turn, or did not come", describeMessage(m))
			return
		}
		rest = rest[i+1:]
	}
	if r.drained && r.roomy && !r.left && len(r.read) < s.surely {
		report("%d messages were read of %d", len(r.read), s.surely)
	}
}
