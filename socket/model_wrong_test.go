package socket

import (
	"context"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// TestModelFindsWhatIsWrong checks visits in which one thing is wrong.
func TestModelFindsWhatIsWrong(t *testing.T) {
	a := step{id: "00.0000", action: doAnswer, responses: 2}
	b := step{id: "00.0001", action: doPush, responses: 1}
	c := step{id: "00.0002", action: doReject, responses: 1}
	x := Text("push x")
	right := func() *record {
		return &record{
			dialect: Dialect5,
			up:      encode(wire.KindStartOK, a.message(0), b.message(0), wire.KindAck, c.message(0), wire.KindAck),
			down:    encode(wire.KindHeartbeat, wire.KindStart, wire.KindAck, a.answer()[0], a.answer()[1], x, wire.KindHeartbeat, wire.KindAck, b.answer()[0], wire.KindClose),
			handled: []step{a, b, c},
			carry:   []string{a.id, b.id},
			pushes:  []push{{messages: []Message{x}, for_: b.id}},
			calls: []*attempt{
				{steps: []step{a}},
				{steps: []step{b, c}, asking: true, all: true, emitted: b.answer(), err: &SendError{Acknowledged: 1, Sent: 2, Err: ErrDisconnected}},
			},
			read:    []Message{a.answer()[0], a.answer()[1], x},
			drained: true, roomy: true, excused: true,
		}
	}
	if wrong := right().check(); wrong != nil {
		t.Errorf("a record without a fault: found %q, want nothing", wrong)
	}
	for says, spoil := range wrongRecords(a, b, c, x) {
		r := right()
		spoil(r)
		if wrong := r.check(); !strings.Contains(strings.Join(wrong, "\n"), says) {
			t.Errorf("a record with one fault: found %q, want %q", wrong, says)
		}
	}
}

// wrongRecords has changes of a record with the steps a, b and c and the push x, each by what the
// model says of it.
func wrongRecords(a, b, c step, x Message) map[string]func(*record) {
	return map[string]func(*record){
		"is not number":        func(r *record) { r.handled[0], r.handled[1] = b, a },
		"handled behind":       func(r *record) { r.handled = []step{c, a}; r.up = encode(wire.KindStartOK, c.message(0), a.message(0)) },
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
		"said to be acknowledged": func(r *record) { r.calls[0].steps = []step{c} },
		"said not to be sent":     func(r *record) { r.calls[1].err = &SendError{Acknowledged: 1, Sent: 1, Err: ErrDisconnected} },
		"said to be sent":         func(r *record) { r.excused, r.up = false, r.up[:len(r.up)-40] },
		"overtook":                func(r *record) { r.calls[1].steps = []step{c, b} },
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
	}
}
