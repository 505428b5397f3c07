package socket

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

// printed is a value with every verb that prints fields, and in a log.
func printed(value any) map[string]string {
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("line", "value", value)
	return map[string]string{
		"%v": fmt.Sprintf("%v", value), "%+v": fmt.Sprintf("%+v", value), "%#v": fmt.Sprintf("%#v", value),
		"%s": fmt.Sprintf("%s", value), "Println": strings.TrimSpace(fmt.Sprintln(value)), "slog": strings.TrimSpace(log.String()),
	}
}

// TestPrintShowsALineAndNoContent prints while messages come and go, which the race
// detector watches.
func TestPrintShowsALineAndNoContent(t *testing.T) {
	const secret = "the secret content"
	network := New(Config{Transport: newMemory(0)})
	name := MustParseName("printer")
	var served sync.WaitGroup
	defer served.Wait()
	ctx := t.Context()
	check := func(what string, value any, wants ...string) {
		for verb, got := range printed(value) {
			if strings.Contains(got, secret) || strings.Contains(got, "0x") || strings.ContainsAny(got, "\n{}") || len(got) > 300 {
				t.Errorf("%s prints with %s as %q, want one line without contents", what, verb, got)
			}
			for _, want := range wants {
				if !strings.Contains(got, want) {
					t.Errorf("%s prints with %s as %q, want %q in it", what, verb, got, want)
				}
			}
		}
	}
	served.Go(func() {
		Serve(network, name, fold.Unit()).With(ctx, func(m Message, c Continuation[struct{}], _ struct{}) Continuation[struct{}] {
			c = c.Respond(m, m)
			check("a Connection", c.Connection(), "printer")
			check("a Continuation", c, "continuation with 2 responses", "printer")
			if m.Content() == "stop" {
				return c.Stop()
			}
			return c
		})
	})
	p, err := network.ConnectTo(ctx, name).Get()
	if err != nil {
		t.Fatalf("connecting to the server failed: %v", err)
	}
	var talking sync.WaitGroup
	talking.Go(func() {
		for range 20 {
			p.Request(ctx, Text(secret))
		}
	})
	for range 20 {
		check("a Process", p, "printer", fmt.Sprint(p.ID()))
	}
	talking.Wait()
	pool := network.Pool(name, PoolConfig{})
	pool.Request(ctx, Text(secret))
	check("a Pool", pool, "printer")
	check("an IPC", network)
	check("a Message", Text(secret), "bytes")
	pool.Close(ctx)
	p.Close(ctx)
	if got := p.String(); !strings.HasSuffix(got, "closed") {
		t.Errorf("a closed Process prints as %q, want closed at its end", got)
	}
	last, _ := network.ConnectTo(ctx, name).Get()
	last.Send(ctx, Text("stop"))
	last.Close(ctx)
}

func TestPrintShowsExchanges(t *testing.T) {
	config := Config{}.withDefaults()
	_, theirs := newPipe(0)
	c := newConnection(theirs, &config, serverTimers(&config))
	defer c.Close()
	x := Exchange{Message: Text("the secret content"), c: c}
	for what, value := range map[string]any{"an Exchange": x, "a Held": &Held{Message: x.Message, c: c}} {
		for verb, got := range printed(value) {
			number := fmt.Sprintf("connection %d", c.ID())
			if verb == "slog" {
				number = fmt.Sprintf("connection=%d", c.ID())
			}
			if strings.Contains(got, "secret") || !strings.Contains(got, number) || !strings.Contains(got, "18") {
				t.Errorf("%s prints with %s as %q, want its connection and size, and no content", what, verb, got)
			}
		}
	}
}
