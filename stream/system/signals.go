package system

import (
	"context"
	"os"
	"os/signal"

	"github.com/rxipc/rxipc/stream"
)

// Signals emits the signals of the given kinds that the program gets, or all kinds if none
// is given. During the run these signals do not have their default effect. It ends with its
// context, with its cause as the error. At most 16 signals wait while yield is at work; more are dropped, as by
// [signal.Notify].
func Signals(kinds ...os.Signal) stream.Observable[os.Signal] {
	return func(ctx context.Context, yield func(os.Signal) bool) error {
		signals := make(chan os.Signal, 16)
		signal.Notify(signals, kinds...)
		defer signal.Stop(signals)
		return stream.FromChannel(signals)(ctx, yield)
	}
}
