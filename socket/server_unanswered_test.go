package socket

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// bufferingStages are stages that let yield return before what follows has handled an
// exchange, by the name that errors give them.
var bufferingStages = map[string]func(stream.Observable[Exchange]) stream.Observable[Exchange]{
	"ObserveOn": operators.ObserveOn[Exchange](16),
	"MapParallel": operators.MapParallel(4, func(_ context.Context, x Exchange) (Exchange, error) {
		return x, nil
	}),
	"MergeMap": operators.MergeMap(func(x Exchange) stream.Observable[Exchange] { return stream.Just(x) }),
	"Merge": func(exchanges stream.Observable[Exchange]) stream.Observable[Exchange] {
		return operators.Merge(exchanges, stream.Never[Exchange]())
	},
	"BufferTime": func(exchanges stream.Observable[Exchange]) stream.Observable[Exchange] {
		return operators.ConcatMap(stream.FromSlice[Exchange])(operators.BufferTime[Exchange](time.Second, 10)(exchanges))
	},
	"BufferCount": func(exchanges stream.Observable[Exchange]) stream.Observable[Exchange] {
		return operators.ConcatMap(stream.FromSlice[Exchange])(operators.BufferCount[Exchange](10)(exchanges))
	},
}

// exchangeSources are the exchanges of connections, and of one connection.
var exchangeSources = map[string]func(stream.Observable[*Connection]) stream.Observable[Exchange]{
	"Exchanges": Exchanges,
	"Connection.Exchanges": func(connections stream.Observable[*Connection]) stream.Observable[Exchange] {
		return operators.ConcatMap((*Connection).Exchanges)(connections)
	},
}

func TestUnansweredExchangeBehindAStageThatBuffers(t *testing.T) {
	for source, exchanges := range exchangeSources {
		for stage, buffer := range bufferingStages {
			t.Run(source+"/"+stage, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					listener := newMemoryListener()
					defer listener.Close()
					ended := make(chan error, 1)
					connections := New(Config{Heartbeat: -1}).Accept(listener)
					go func() { ended <- buffer(exchanges(connections)).Run(t.Context()) }()
					client := listener.client(t, 0).greet()
					client.send("one", "two")
					client.expect("close")
					client.send(wire.KindCloseOK)
					client.expect("EOF")
					client.conn.Close()
					err := <-ended
					if !errors.Is(err, ErrUnanswered) || !strings.Contains(err.Error(), stage) || !strings.Contains(err.Error(), "Hold") {
						t.Errorf("the server ended with %v, want ErrUnanswered that names %s and Hold", err, stage)
					}
				})
			})
		}
	}
}

func TestUnansweredExchangesAreAnsweredOrHeldBeforeAStage(t *testing.T) {
	for source, exchanges := range exchangeSources {
		for name, test := range map[string]struct {
			before  func(Exchange) // the stage
			answers []string
		}{
			"nothing to say": {func(x Exchange) { x.Respond() }, []string{"ack", "ack"}},
			"an answer":      {func(x Exchange) { x.Respond(x.Message) }, []string{"ack", `"one"`, "ack", `"two"`}},
		} {
			for stage, buffer := range bufferingStages {
				t.Run(source+"/"+name+"/"+stage, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						listener := newMemoryListener()
						ended := make(chan error, 1)
						answered := operators.Tap(test.before)(exchanges(New(Config{Heartbeat: -1}).Accept(listener)))
						ctx, cancel := context.WithCancel(t.Context())
						go func() { ended <- buffer(answered).Run(ctx) }()
						client := listener.client(t, 0).greet()
						client.send("one", "two")
						client.expect(test.answers...)
						client.leave()
						cancel()
						if err := <-ended; !errors.Is(err, context.Canceled) {
							t.Errorf("the server ended with %v, want context.Canceled", err)
						}
						listener.Close()
					})
				})
			}
		}
	}
}

func TestUnansweredHeldExchangesAreAcknowledgedByTheStageBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener, ended := merging(t.Context(), Config{Heartbeat: -1}, func(ctx context.Context, exchanges stream.Observable[Exchange]) error {
			return stream.Pipe3(exchanges,
				operators.Map(Exchange.Hold),
				operators.ObserveOn[*Held](16),
				operators.MapErr(func(h *Held) (int, error) {
					time.Sleep(time.Hour)
					return 1, h.Respond(ctx, Text("re: "+h.Content()))
				}),
			).Run(ctx)
		})
		client := listener.client(t, 0).greet()
		client.send("one")
		time.Sleep(59 * time.Minute)
		same(t, decoded(peerChunks(client)), "heartbeat start") // and no acknowledgement
		client.expect("ack", `"re: one"`)
		client.leave()
		listener.Close()
		<-ended
	})
}

// counting is the server of the README with one state for everybody, and an answer of its
// own.
func counting(answer func(Exchange) error, total *int) func(context.Context, stream.Observable[Exchange]) error {
	return func(ctx context.Context, exchanges stream.Observable[Exchange]) error {
		return stream.Pipe3(exchanges,
			operators.MapErr(func(x Exchange) (int, error) { return 1, answer(x) }),
			operators.Scan(fold.Sum[int]()),
			operators.Tap(func(n int) { *total = n }),
		).Run(ctx)
	}
}

func TestRespondThatCannotBeSentCostsItsExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines strings.Builder
		closed := make(chan error, 1)
		config := Config{
			Heartbeat: -1, MaxMessage: 10,
			Log:   slog.New(slog.NewTextHandler(&lines, nil)),
			Hooks: Hooks{ServerHooks: ServerHooks{Closed: func(e Ending) { closed <- e.Err }}},
		}
		total := 0
		double := func(x Exchange) error { return x.Respond(Text(x.Content() + x.Content())) }
		listener, ended := merging(t.Context(), config, counting(double, &total))
		good, bad := listener.client(t, 0).greet(), listener.client(t, 0).greet()
		good.send("a")
		good.expect("ack", `"aa"`)
		bad.send("too long", "not now")
		bad.expect("close")
		bad.send(wire.KindCloseOK)
		bad.expect("EOF")
		if err := <-closed; !errors.Is(err, ErrTooLarge) || Reason(err) != "rejected" {
			t.Errorf("the connection ended with %v, reason %s, want ErrTooLarge, rejected", err, Reason(err))
		}
		if !strings.Contains(lines.String(), "level=ERROR") || !strings.Contains(lines.String(), "too large") {
			t.Errorf("the log has %q, want an error about an answer that is too large", lines.String())
		}
		good.send("b")
		good.expect("ack", `"bb"`)
		good.leave()
		listener.Close()
		<-ended
		if total != 2 {
			t.Errorf("%d exchanges were counted, want 2", total)
		}
	})
}

func TestRespondMayBeTriedAgainWithLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener, ended := merging(t.Context(), Config{Heartbeat: -1, MaxMessage: 10}, func(ctx context.Context, exchanges stream.Observable[Exchange]) error {
			return exchanges.ForEach(ctx, func(x Exchange) {
				if err := x.Respond(Text("much too long")); !errors.Is(err, ErrTooLarge) {
					t.Errorf("Respond with 13 bytes of 10 returned %v, want ErrTooLarge", err)
				}
				if err := x.Respond(Text("short")); err != nil {
					t.Errorf("Respond with 5 bytes of 10 returned %v, want no error", err)
				}
			})
		})
		client := listener.client(t, 0).greet()
		client.send("one")
		client.expect("ack", `"short"`)
		client.leave()
		listener.Close()
		<-ended
	})
}
