package rpc

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/rxipc/rxipc/socket"
)

// Timing returns a Middleware that calls record after each call, with the time that it took and its
// error, for instance for a histogram. It runs on the goroutine of the call, which ends when
// record has returned.
func Timing(record func(ctx context.Context, call Call, took time.Duration, err error)) Middleware {
	return func(ctx context.Context, call Call, next Next) (socket.Message, error) {
		start := time.Now()
		response, err := next(ctx, call)
		record(ctx, call, time.Since(start), err)
		return response, err
	}
}

// Logging returns a Middleware that writes a line for each call, with its method, the time that it
// took, and the sizes of request and response. It writes no contents. A nil logger is
// slog.Default().
//
// The level is info for a call that succeeded. It is warn for one that failed with a [*Problem],
// which the caller gets, or because its context ended, and error for one that failed otherwise:
// a panic, or an error that a server does not tell its caller.
func Logging(log *slog.Logger) Middleware {
	return func(ctx context.Context, call Call, next Next) (socket.Message, error) {
		start := time.Now()
		response, err := next(ctx, call)
		to := log
		if to == nil {
			to = slog.Default()
		}
		if level := levelOf(ctx, err); to.Enabled(ctx, level) {
			to.LogAttrs(ctx, level, "rpc call", lineOf(call, response, time.Since(start), err)...)
		}
		return response, err
	}
}

func levelOf(ctx context.Context, err error) slog.Level {
	if err == nil {
		return slog.LevelInfo
	}
	if _, told := errors.AsType[*Problem](err); told || ctx.Err() != nil {
		return slog.LevelWarn
	}
	return slog.LevelError
}

func lineOf(call Call, response socket.Message, took time.Duration, err error) []slog.Attr {
	line := []slog.Attr{
		slog.String(cmp.Or(string(call.Kind), string(KindCall)), call.Method), // empty for a message that asks for no method
		slog.Duration("took", took),
		slog.Int("request_bytes", call.Message.Len()),
	}
	if !response.MediaType().IsZero() {
		line = append(line, slog.Int("response_bytes", response.Len()))
	}
	if err != nil {
		line = append(line, slog.Any("error", err))
	}
	return line
}
