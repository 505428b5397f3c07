package stream

import (
	"context"
	"sync"
)

// OnSubscribed returns a context for a run, which calls f once, as soon as the run is
// subscribed: it observes what it is made of, so that a [Subject] counts it, and has
// emitted what was there from the start. f is called on any goroutine, by [Subscribed].
// It is for an operator with a second observable, which has to be subscribed before the
// source of the operator begins.
//
// A run that ends without a pause, or whose source does not call Subscribed, does not call
// f. So a caller that waits for f also has to wait for the first value and for the end of
// the run, and has to limit its wait.
func OnSubscribed(ctx context.Context, f func()) context.Context {
	mustHave("OnSubscribed", "function", f != nil)
	return context.WithValue(ctx, subscribedKey{}, sync.OnceFunc(f))
}

// Subscribed says that the run with this context is subscribed; see [OnSubscribed]. A
// source of your own calls it when it is about to wait for its first value. The sources
// of this package do. To call it again, or in a run without OnSubscribed, does nothing.
func Subscribed(ctx context.Context) {
	if tell := subscribedFunc(ctx); tell != nil {
		tell()
	}
}

type subscribedKey struct{}

// subscribedFunc returns what a run with this context calls when it is subscribed, or nil.
func subscribedFunc(ctx context.Context) func() {
	tell, _ := ctx.Value(subscribedKey{}).(func())
	return tell
}
