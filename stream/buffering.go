package stream

import "context"

// WithBuffering returns a context for the source of a stage that buffers: one that lets
// its source's yield return before what follows has handled the value, because the value
// crosses to another goroutine or is kept for later. stage is the name that errors give
// it. Of several stages in a row, the source sees the nearest one.
//
// A source whose values must not be lost asks for it with [Buffering]. [Gather], [Buffered],
// [Timed] and [Observable.Channel] do this by themselves, and so do the operators that
// buffer; a stage of your own needs it if it keeps values in another way.
func WithBuffering(ctx context.Context, stage string) context.Context {
	return context.WithValue(ctx, bufferingKey{}, stage)
}

// Buffering returns the name of the nearest stage behind a run with this context that
// buffers, or "" if what follows has handled each value when yield returns.
func Buffering(ctx context.Context) (stage string) {
	stage, _ = ctx.Value(bufferingKey{}).(string)
	return stage
}

type bufferingKey struct{}
