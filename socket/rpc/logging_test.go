package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/stream"
)

// linesTo returns a logger that writes lines without time to a buffer.
func linesTo(out *bytes.Buffer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// answerAfter answers with how long it took, or fails, after some time: "1s", "1s fail", …
func answerAfter(ctx context.Context, what string) (string, error) {
	duration, outcome, _ := strings.Cut(what, " ")
	took, err := time.ParseDuration(duration)
	if err != nil {
		return "", rpc.ErrBadRequest.Detailf("%v", err)
	}
	select {
	case <-time.After(took):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	switch outcome {
	case "fail":
		return "", errors.New("no luck")
	case "panic":
		panic("no luck at all")
	}
	return "took " + duration, nil
}

var wait = rpc.NewMethod[string, string]("wait")

func TestLoggingWritesALineForEachCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		pool := serveFor(t, rpc.NewServer(rpc.Handle(wait, answerAfter)).Use(rpc.Logging(linesTo(&out, slog.LevelInfo))))
		for _, test := range []struct {
			request string
			limit   time.Duration
			want    string // a regular expression
		}{
			{"1s", time.Hour, `^level=INFO msg="rpc call" method=wait took=1s request_bytes=4 response_bytes=9\n$`},
			{"soon", time.Hour, `^level=WARN .*method=wait took=0s request_bytes=6 error=.*soon`},
			{"2s fail", time.Hour, `^level=ERROR .*took=2s .*error="no luck"\n$`},
			{"3s panic", time.Hour, `^level=ERROR .*took=3s .*error=.*no luck at all`},
			{"4s", time.Second, `^level=WARN .*took=1s .*error="context deadline exceeded"\n$`},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), test.limit)
			answer, err := wait.Call(ctx, pool, test.request)
			cancel()
			synctest.Wait()
			if got := out.String(); !regexp.MustCompile(test.want).MatchString(got) {
				t.Errorf("call wait with %q: got %q, %v, and the line %q, want one that matches %s", test.request, answer, err, got, test.want)
			}
			out.Reset()
		}
	})
}

func TestLoggingOfAClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		pool := serveFor(t, rpc.NewServer(rpc.Handle(wait, answerAfter)))
		caller := rpc.Use(pool, rpc.Logging(linesTo(&out, slog.LevelWarn)))
		if _, err := wait.Call(t.Context(), caller, "1s"); err != nil || out.Len() != 0 {
			t.Errorf("call wait with a logger for warnings: got %v and the line %q, want neither", err, out.String())
		}
		_, err := wait.Call(t.Context(), caller, "1s fail")
		if got := out.String(); err == nil || !strings.HasPrefix(got, `level=WARN msg="rpc call" method=wait took=1s request_bytes=9 response_bytes=`) {
			t.Errorf("call wait, which fails: got %v and the line %q, want a warning", err, got)
		}
	})
}

func TestTimingRecordsTimesAndErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		timing := rpc.Timing(func(_ context.Context, call rpc.Call, took time.Duration, err error) {
			_, panicked := errors.AsType[*stream.PanicError](err)
			got = append(got, fmt.Sprint(call.Method, " ", took, " ", err != nil, " ", panicked))
		})
		pool := serveFor(t, rpc.NewServer(rpc.Handle(wait, answerAfter)).Use(timing))
		for _, request := range []string{"1s", "2s fail", "3s panic"} {
			_, _ = wait.Call(t.Context(), pool, request) // the errors are what record gets
		}
		if want := []string{"wait 1s false false", "wait 2s true false", "wait 3s true true"}; !slices.Equal(got, want) {
			t.Errorf("timing of three calls: got %q, want %q", got, want)
		}
	})
}
