package socket

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
)

// TestConnectionCutAtAnyByteIsToldExactlyByBothSides breaks one connection behind each byte
// of either direction, as if the other side died there or closed its half: by turns, or
// both with more RXIPC_ROUNDS. The model says what must be true then; a neighbour must not
// notice.
func TestConnectionCutAtAnyByteIsToldExactlyByBothSides(t *testing.T) {
	t.Parallel()
	up, down := cutSession(t, -1, -1, false)
	t.Logf("%d bytes up, %d down", up, down)
	if up < 200 || down < 200 {
		t.Fatalf("a whole session: %d bytes went up and %d down, want 200 of both at least", up, down)
	}
	both := rounds(t, 1) > 1
	for _, half := range []bool{false, true} {
		skipped := func(n int) bool { return !both && (n%2 == 1) != half }
		for n := range up {
			if skipped(n) {
				continue
			}
			if got, _ := cutSession(t, n, -1, half); got != n {
				t.Fatalf("a session that is cut: %d bytes came up, want %d", got, n)
			}
		}
		for n := range down {
			if skipped(n) {
				continue
			}
			if _, got := cutSession(t, -1, n, half); got != n {
				t.Fatalf("a session that is cut: %d bytes came down, want %d", got, n)
			}
		}
	}
}

// cutSession plays a session and returns how many bytes came to each side.
func cutSession(t *testing.T, up, down int, half bool) (toServer, toClient int) {
	failed := !t.Run(fmt.Sprintf("up %d, down %d, half %v", up, down, half), func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 0, virtualTime, serverWith, Config{Heartbeat: -1})
			random := newRandom(0)
			whole, conn, served := w.newVisit(random, 1000)
			neighbour := whole.attach(conn, served)
			playSession(whole, neighbour)

			v, conn, served := w.newVisit(random, 1000)
			v.breakOff(v.cable.up, up, half)
			v.breakOff(v.cable.down, down, half)
			if p := v.attach(conn, served); p != nil {
				playSession(v, p)
				v.close(p)
				v.finish(p)
			}
			playSession(whole, neighbour)
			whole.close(neighbour)
			whole.finish(neighbour)
			w.check(t)
			toServer, toClient = len(v.up), len(v.down)
		})
	})
	if failed {
		t.FailNow()
	}
	return toServer, toClient
}

// playSession sends four messages in a window, behind one that opens it, and makes a
// request.
func playSession(v *visit, p *Process) {
	a := &actor{visit: v, p: p, Rand: rand.New(rand.NewPCG(0, 0)), reads: true}
	send := func(asking bool, actions ...action) bool {
		var steps []step
		var messages []Message
		for _, d := range actions {
			k := step{id: fmt.Sprintf("%s%04d", v.prefix(), v.next.Add(1)), action: d, responses: 1}
			steps, messages = append(steps, k), append(messages, k.message(0))
		}
		made := &attempt{steps: steps, asking: asking}
		return a.attempt(made, func(ctx context.Context, note *attempt) error {
			if !asking {
				return p.Send(ctx, messages...).Err()
			}
			m, err := p.Request(ctx, messages[0]).Get()
			if err == nil {
				note.emitted = []Message{m}
			}
			return err
		})
	}
	_ = send(false, doAnswer) && send(false, doAnswer, doPush, doAnswer, doAnswer) && send(true, doAnswer)
}
