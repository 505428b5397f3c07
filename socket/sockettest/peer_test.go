package sockettest

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// echo is a real server. It echoes messages and counts them. The message "s" stops it,
// "f" ends its connection.
func echo(ctx context.Context, ipc *socket.IPC) fold.Attempt[int] {
	return socket.Serve(ipc, one, fold.Sum[int]()).With(ctx,
		func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			c = c.CarryWith(count + 1)
			switch m.Content() {
			case "s":
				return c.Stop()
			case "f":
				return c.Finish()
			}
			return c.Respond(m)
		})
}

// inBothDialects runs a test in each dialect, with the sign of its acknowledgement.
func inBothDialects(t *testing.T, f func(b *Bench, sign string)) {
	for sign, dialect := range map[string]socket.Dialect{"=": socket.Dialect4, "+": socket.Dialect5} {
		t.Run(sign, func(t *testing.T) {
			Run(t, func(b *Bench) {
				b.Config.Dialect = dialect
				f(b, sign)
			})
		})
	}
}

// signed replaces + in a diagram by the acknowledgement of a dialect.
func signed(diagram, ack string) string { return strings.ReplaceAll(diagram, "+", ack) }

func TestClientReceivesTheEventsOfAServer(t *testing.T) {
	inBothDialects(t, func(b *Bench, ack string) {
		alice := b.Client(one, "   a--(bc)-|")
		alice.Expect("              a--(bc)-|")
		alice.ExpectWire(signed("     (<+a)--(+b+c)-(.|)", ack))
		bob := b.Client(one, "     -^-d")
		bob.Expect("                ---d----|")
		bob.ExpectWire(signed("       -<-(+d)----(:|)", ack))
		carol := b.Client(one, "   --^-f")
		carol.Expect("              ----|")
		carol.ExpectWire(signed("     --<-(+:|)", ack))
		dave := b.Client(one, "    -------es")
		dave.Expect("               -------e|")
		Expect(b, echo, "           --------(7|)", map[rune]int{'7': 7})
	})
}

func TestClientGetsHeartbeatsWhileItIsSilent(t *testing.T) {
	Run(t, func(b *Bench) {
		b.Client(one, "                                    10s #").ExpectWire("< 1299ms ~ 1299ms ~ 400ms -")
		b.Client(one, "                                    10s #").Reacts(Never).ExpectWire("< 1299ms ~ 1299ms ~ 400ms -")
		b.Client(one, "- 500ms ~ 700ms ~ 5s #").Reacts(Never).ExpectWire("< 2501ms ~ 1299ms ~")
		Expect(b, echo, "11s (0!)")
	})
}

func TestServerDropsMessagesBeforeTheHandshake(t *testing.T) {
	Run(t, func(b *Bench) {
		early := b.Client(one, "-a-(>b)-|").Reacts(func(e Event, usual []Event) []Event {
			if e == Start() {
				return nil
			}
			return usual
		})
		early.ExpectWire("      <--(+b)-(.|)")
		eager := b.Client(one, "----|").Reacts(func(e Event, usual []Event) []Event {
			if e == (Event{}) {
				return []Event{Text("x"), StartOK(), Text("y")}
			}
			return nil
		})
		eager.ExpectWire("      (<+y)---(.|)")
		Expect(b, echo, "       ------(2!)")
	})
}

// noFrame is no valid frame: its media type is empty.
var noFrame = Bytes("\x00\x00\x00\x00\x00\x00\xCE")

func TestServerSurvivesMisbehaviour(t *testing.T) {
	Run(t, func(b *Bench) {
		events := map[rune]Event{
			'g': noFrame,
			'm': Message(socket.NewMessage(socket.MediaType{}, "of no media type")),
			'h': Bytes("\x00\x0atext/plain\x00\x00\x00\x20half of what this announces"),
			'f': Bytes("no frame, and not the first half of one"),
			't': Trickle(Text("slow"), time.Millisecond),
			'T': Text("slow"),
			'c': Cut(Text("cut"), 5),
			'd': Cut(Text("cut"), -1),
			'x': Die(),
			'w': Together(Text("a"), Text("b"), Close()),
			'0': Bytes(""),
		}
		b.Client(one, "-ag", events).Expect("-a#")
		b.Client(one, "-am", events).Expect("-a#")
		b.Client(one, "-ah 10ms #", events).Expect("-a 11ms #")
		b.Client(one, "-af", events).Expect("-a#")
		b.Client(one, "at#", events).Expect("a 21ms (T#)", events)
		b.Client(one, "a-c", events).Expect("a-#")
		b.Client(one, "a-d", events).Expect("a-#")
		b.Client(one, "a-x", events).Expect("a-#")
		b.Client(one, "a-#").Expect("a-#")
		b.Client(one, "-w", events).ExpectWire("<(+a+b.|)")
		b.Client(one, "-0a|", events).Expect("--a|")
		Expect(b, echo, "1s (c!)", map[rune]int{'c': 13})
	})
}

// ask is the code of a client. It sends a question and waits for the answer, for at most
// 1.5 s.
func ask(ctx context.Context, ipc *socket.IPC) fold.Attempt[string] {
	ctx, cancel := context.WithTimeout(ctx, 1500*time.Millisecond)
	defer cancel()
	answer := fold.Then(ipc.ConnectTo(ctx, one),
		socket.Closing(context.WithoutCancel(ctx), func(p *socket.Process) fold.Attempt[socket.Message] {
			return fold.Then(p.Send(ctx, socket.Text("q")), socket.Wait(ctx))
		}))
	return fold.Map(answer, socket.Message.Content)
}

// responding is the reaction of a server that responds to messages.
func responding(e Event, usual []Event) []Event {
	if m, ok := e.Message(); ok {
		return append(usual, Text("re: "+m.Content()))
	}
	return usual
}

func TestServerReceivesTheEventsOfClients(t *testing.T) {
	inBothDialects(t, func(b *Bench, ack string) {
		wire := "(>q:>q:)------(>q:)"
		if ack == "+" { // clients acknowledge then, too
			wire = "(>q+:>q+:)------(>q+:)"
		}
		server := b.Server(one, "").Reacts(responding)
		server.Expect("    (qq)------q")
		server.ExpectWire(wire)
		answer := map[rune]string{'a': "re: q"}
		Expect(b, ask, "   (a|)", answer)
		Expect(b, ask, "   (a|)", answer)
		Expect(b, ask, "   -------(^a|)", answer)
	})
}

func TestClientMeetsEveryKindOfServer(t *testing.T) {
	for name, c := range map[string]struct {
		server string // the events of the server
		reacts func(e Event, usual []Event) []Event
		wire   string // the events that the server receives
		client string // the end of the client
	}{
		"respond at once":     {"-", responding, "(>q+:)", "(r|)"},
		"respond later":       {"- 9ms a", nil, "(>q)- 8ms (+:)", "- 9ms (a|)"},
		"push before the ack": {"-a-+", noAck, "(>q)--:", "---(a|)"},
		"close":               {"---|", nil, "(>q)--(.|)", "---D"},
		"close at once":       {"-", closeAtOnce, "(>.)(>.)-(>.)", "----!"},
		"die":                 {"---#", nil, "(>q)--#", "---U"},
		"die and be there":    {"---x 2s -", nil, "(>q)----", "---U"},
		"not acknowledge":     {"-", noAck, "(>q) 1299ms ~ 199ms :", "1.5s T"},
		"not greet":           {"2s -", Never, "1s - 499ms _", "1.5s T"},
		"not agree to close":  {"-a", impolite, "(>q)(+:) 299ms _", "- 300ms T"},
		"greet later":         {"- 100ms <", Never, "- 100ms (>q)", "1.8s T"},
		"heartbeat":           {"-~~~a", nil, "(>q)---(+:)", "----(a|)"},
		"send garbage":        {"--g", nil, "(>q)-_", "--P"},
		"send too much":       {"--b", nil, "(>q)-_", "--L"},
		"cut a frame":         {"--c", nil, "(>q)--", "--U"},
		"trickle":             {"---s", nil, "(>q) 23ms (+:)", "24ms (s|)"},
		"appear later":        {"--^", responding, "---(>q+:)", "---(r|)"},
		"acknowledge in 4.x":  {"--a=", noAck, "(>q)--:", "---(a|)"},
	} {
		t.Run(name, func(t *testing.T) {
			Run(t, func(b *Bench) {
				b.Config.MaxMessage = 100
				b.Config.Grace = 300 * time.Millisecond
				b.BindError('D', socket.ErrDisconnected)
				b.BindError('U', io.ErrUnexpectedEOF)
				b.BindError('T', context.DeadlineExceeded)
				b.BindError('P', socket.ErrProtocol)
				b.BindError('L', socket.ErrTooLarge)
				server := b.Server(one, c.server, map[rune]Event{
					'x': Die(), 'g': noFrame, 'b': Text(strings.Repeat("b", 101)),
					'c': Cut(Text("cut"), 9), 's': Trickle(Text("slow"), time.Millisecond),
				})
				if c.reacts != nil {
					server.Reacts(c.reacts)
				}
				server.ExpectWire(c.wire)
				Expect(b, ask, c.client, map[rune]string{'r': "re: q", 's': "slow"})
			})
		})
	}
}

func noAck(e Event, usual []Event) []Event {
	if _, ok := e.Message(); ok {
		return nil
	}
	return usual
}

func impolite(e Event, usual []Event) []Event {
	if e == Close() {
		return nil
	}
	return usual
}

func closeAtOnce(e Event, usual []Event) []Event {
	if e == (Event{}) {
		return append(usual, Close())
	}
	return nil
}

func TestPeerThatStopsReadingFillsTheConnection(t *testing.T) {
	reading := map[rune]Event{'s': StopReading(), 'r': ReadOn(), 'x': Text(strings.Repeat("x", 900))}
	Run(t, func(b *Bench) {
		network := NewNetwork()
		network.Buffer = 1000
		b.Config.Transport = network
		slow := b.Client(one, "^s-xxx--r-|", reading)
		slow.Expect("          --------(xxx)-|", reading)
		quick := b.Client(one, "--a---b-- |")
		quick.Expect("          --a---b-- |")
		Expect(b, echo, "       ------------(5!)")
	})
	Run(t, func(b *Bench) { // stopped twice, then killed
		events := map[rune]Event{'s': StopReading(), 'r': ReadOn()}
		b.Client(one, "rssa-#", events).Expect("---- -#")
		Expect(b, echo, "-------(1!)")
	})
}

func TestServerActsOnAllConnections(t *testing.T) {
	Run(t, func(b *Bench) {
		b.Server(one, "   --a-x-b-|", map[rune]Event{'x': Die()}).ExpectWire("(>>)---->c-(.|)")
		alice := b.Client(one, "^        ")
		alice.Expect("         --a-#")
		bob := b.Client(one, " ^        ")
		bob.Expect("           --a-#")
		carol := b.Client(one, "-----^c")
		carol.Expect("            ------b-|")
	})
}

func TestServerRestarts(t *testing.T) {
	Run(t, func(b *Bench) {
		b.Server(one, "--#").Expect("a-#")
		b.Server(one, "----^").Expect("------b")
		b.Client(one, "a").Expect("--#")
		b.Client(one, "-----^b").Expect("-------")
	})
}

// The bench releases everything that its peers hold, whatever state they are in.
func TestBenchEndsPeersWithTheTest(t *testing.T) {
	Run(t, func(b *Bench) {
		network := NewNetwork()
		network.Buffer = 10
		b.Config.Transport = network
		events := map[rune]Event{'s': StopReading(), 't': Trickle(Text("t"), time.Hour)}
		b.Server(one, "- s", events)
		b.Server(two, "")
		b.Client(one, "^s", events)
		b.Client(two, "").Reacts(Never)
		b.Client(two, "").Reacts(func(e Event, _ []Event) []Event {
			return []Event{Trickle(e, time.Hour)}
		})
		b.Timeout = time.Minute
	})
}
