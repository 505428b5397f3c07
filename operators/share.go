package operators

import (
	"time"

	"github.com/rxipc/rxipc/stream"
)

// Share returns a hot observable: its runs, the subscribers, share one run of the source
// (RxJS: share, ReactiveX: publish and refCount). The source begins with the first
// subscriber. Each subscriber gets the values that come after it began. When the last
// subscriber leaves, the source is cancelled and awaited before the subscriber's run
// returns. A subscriber that comes after that, or after the source has completed or failed,
// begins a new run of the source, which waits for the end of the run before.
//
// The source has a goroutine of its own. Its context has the values of the first
// subscriber's context, and ends when the last subscriber leaves. The completion, failure,
// panic or runtime.Goexit of the source reaches every subscriber after its waiting values;
// a panic is a [*stream.PanicError]. A subscriber that leaves or panics does not affect the
// others.
//
// At most [stream.DefaultBuffer] values wait for each subscriber. With one more, the source
// waits for the slowest subscriber. A subscriber that must not slow the others puts
// [OnBackpressureLatest] or [OnBackpressureDrop] behind Share. If several
// subscribers must not miss the beginning, [Connectable.RefCount] waits for them.
func Share[T any]() stream.Operator[T, T] {
	return sharing("Share", func() *stream.Subject[T] { return new(stream.Subject[T]) })
}

// ShareReplay is [Share] whose new subscribers first get the last count values (at least
// one). If age is more than zero, they do not get older values (RxJS: shareReplay with
// refCount). See [stream.NewReplaySubject].
//
// When the source has completed, a new subscriber gets the values that are still kept, and
// the completion. If none is kept, it begins a new run of the source. So ShareReplay with a
// count of one caches a value until it is older than age. When the source fails, or the
// last subscriber leaves before the completion, all values are forgotten, and the next
// subscriber begins a new run of the source.
func ShareReplay[T any](count int, age time.Duration) stream.Operator[T, T] {
	return sharing("ShareReplay", func() *stream.Subject[T] { return stream.NewReplaySubject[T](count, age) })
}

func sharing[T any](name string, subject func() *stream.Subject[T]) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave(name, "observable", source != nil)
		return Multicast(source, subject).RefCount(1, stream.DefaultBuffer, stream.Block)
	}
}
