package socket

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket/internal/wire"
	"github.com/rxipc/rxipc/stream"
)

// oddHandler is a handler that echoes, or does what the message asks for.
func oddHandler(m Message, c Continuation[int], n int) Continuation[int] {
	switch m.Content() {
	case "panic":
		panic("as it was told")
	case "reject":
		return c.Reject(errors.New("unwanted"))
	case "too large":
		return c.Respond(Text(strings.Repeat("x", 1000)))
	}
	return c.Respond(m)
}

func TestLogOfTheDefaultConfigTellsErrorsAlone(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	var lines strings.Builder
	config := Config{}.withDefaults() // before the program sets its own
	slog.SetDefault(slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug})))
	synctest.Test(t, func(t *testing.T) {
		server := serve(t, config, fold.Sum[int](), oddHandler)
		quiet, wrong := server.dial().greet(), server.dial().greet()
		quiet.send("fine")
		quiet.expect("ack", `"fine"`)
		quiet.leave()
		wrong.send([]byte("not a frame at all, and none of ours"))
		for wrong.next() != "EOF" {
		}
		for _, content := range []string{"reject", "panic"} {
			client := server.dial().greet()
			client.send(content)
			client.expect("close")
			client.send(wire.KindCloseOK)
			client.expect("EOF")
		}
		server.end()
		<-server.result
	})
	log := slog.New(errorsOnly{}).With("a", 1).WithGroup("g").With("b", 2)
	log.Warn("unseen")
	log.Error("seen", "c", 3)
	slog.SetDefault(slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelError + 1})))
	log.Error("unseen, too")
	got := strings.Split(strings.TrimSpace(lines.String()), "\n")
	if len(got) != 2 || !strings.Contains(got[0], "level=ERROR") || !strings.Contains(got[0], "reason=panic") {
		t.Errorf("the default logger got %q, want the panic alone", lines.String())
	}
	if !strings.Contains(lines.String(), "msg=seen a=1 g.b=2 g.c=3") {
		t.Errorf("the default logger got %q, want attributes and groups", lines.String())
	}
}

// endingLine returns the line of the log about the connection that ended.
func endingLine(t *testing.T, lines *strings.Builder) string {
	t.Helper()
	for line := range strings.Lines(lines.String()) {
		if strings.Contains(line, "connection ended") {
			return strings.TrimSpace(line)
		}
	}
	t.Errorf("the log has %q, want a line about the connection that ended", lines.String())
	return ""
}

// askInVain sends a message that is not acknowledged.
func askInVain(client *peer, content string) {
	client.send(content)
	client.expect("close")
	client.send(wire.KindCloseOK)
	client.expect("EOF")
}

func TestLogOfAServerTellsARejectionFromAFailure(t *testing.T) {
	for content, want := range map[string]string{
		"reject":    "level=INFO",
		"panic":     "level=ERROR",
		"too large": "level=ERROR",
	} {
		t.Run(content, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var lines strings.Builder
				config := Config{Heartbeat: -1, MaxMessage: 100, Log: slog.New(slog.NewTextHandler(&lines, nil))}
				server := serve(t, config, fold.Sum[int](), oddHandler)
				askInVain(server.dial().greet(), content)
				server.end()
				<-server.result
				if got := endingLine(t, &lines); !strings.Contains(got, want) {
					t.Errorf("a handler of With that was to %s has the line %q, want %s", content, got, want)
				}
			})
		})
	}
}

func TestLogOfAPipelineTellsARejectionFromAFailure(t *testing.T) {
	tooLarge := Text(strings.Repeat("x", 1000))
	for what, test := range map[string]struct {
		handle func(Exchange)
		want   string
	}{
		"Reject":                             {func(x Exchange) { x.Reject(errors.New("unwanted")) }, "level=INFO"},
		"Reject of what had a response":      {func(x Exchange) { x.Respond(x.Message); x.Reject(nil) }, "level=INFO"},
		"Respond that cannot be sent":        {func(x Exchange) { x.Respond(tooLarge) }, "level=ERROR"},
		"Reject with the error of a Respond": {func(x Exchange) { x.Reject(x.Respond(tooLarge)) }, "level=ERROR"},
		"Reject after a second try":          {func(x Exchange) { x.Respond(tooLarge); x.Respond(x.Message); x.Reject(nil) }, "level=INFO"},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var lines strings.Builder
				config := Config{Heartbeat: -1, MaxMessage: 100, Log: slog.New(slog.NewTextHandler(&lines, nil))}
				listener, ended := merging(t.Context(), config, func(ctx context.Context, exchanges stream.Observable[Exchange]) error {
					return exchanges.ForEach(ctx, test.handle)
				})
				askInVain(listener.client(t, 0).greet(), "a message")
				listener.Close()
				<-ended
				if got := endingLine(t, &lines); !strings.Contains(got, test.want) {
					t.Errorf("%s has the line %q, want %s", what, got, test.want)
				}
			})
		})
	}
}
