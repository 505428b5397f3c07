package operators

import (
	"time"

	"github.com/rxipc/rxipc/stream"
)

// Share runs the source once for all who run what it returns, which is hot: the source's
// run begins with the first subscriber and gives each the values that come after it did
// (RxJS: share, ReactiveX: publish and refCount). When the last one leaves, the source's
// run is cancelled, and has ended before the last one's run returns. A subscriber that
// comes after that, or after the source has completed or failed, begins a new run of the
// source, which waits for the end of the one before.
//
// The source has a goroutine of its own and a context with the values of the first
// subscriber's, which ends when the last one leaves. Its completion, failure, panic or
// runtime.Goexit reaches every subscriber, after what waits for it, the panic as a
// [*stream.PanicError]. A subscriber that leaves, or panics itself, concerns no other.
//
// At most [stream.DefaultBuffer] values wait for each subscriber, and the source waits
// with one more, for the slowest of them: what shall not slow the others down puts
// [OnBackpressureLatest] or one of its kin behind. Where several subscribers must not
// miss the beginning, [Connectable.RefCount] waits for them.
func Share[T any]() stream.Operator[T, T] {
	return sharing("Share", func() *stream.Subject[T] { return new(stream.Subject[T]) })
}

// ShareReplay is [Share] for subscribers that also want what came before: a newcomer gets
// the last count values (at least one) first, without those older than age if that is
// more than zero, see [stream.NewReplaySubject] (RxJS: shareReplay with refCount).
//
// When the source has completed, newcomers get the values that are still kept, and the
// completion; the source is run anew for one who would get none. So one value is cached
// until it is older than age. A failure, and the last subscriber's leaving before the
// completion, forget all values: whoever comes then begins a new run of the source.
func ShareReplay[T any](count int, age time.Duration) stream.Operator[T, T] {
	return sharing("ShareReplay", func() *stream.Subject[T] { return stream.NewReplaySubject[T](count, age) })
}

func sharing[T any](name string, subject func() *stream.Subject[T]) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave(name, "observable", source != nil)
		return Multicast(source, subject).RefCount(1, stream.DefaultBuffer, stream.Block)
	}
}
