package operators

import (
	"context"
	"log/slog"

	"github.com/rxipc/rxipc/stream"
)

// Log writes a record for each value of the source and one for its end, at the given level
// and with the given message, and changes nothing. The attribute event is next, with the
// attribute value; complete; error, with the attribute error, which may be the cause of the
// run's context; or unsubscribe, when the consumer wants no more. A panic writes no record.
// A nil logger is [slog.Default].
func Log[T any](logger *slog.Logger, level slog.Level, message string) stream.Operator[T, T] {
	return func(source stream.Observable[T]) stream.Observable[T] {
		mustHave("Log", "observable", source != nil)
		return func(ctx context.Context, yield func(T) bool) error {
			logger := logger
			if logger == nil {
				logger = slog.Default()
			}
			wanted := true
			err := source(ctx, func(v T) bool {
				if logger.Enabled(ctx, level) { // before the value is boxed
					logger.LogAttrs(ctx, level, message, slog.String("event", "next"), slog.Any("value", v))
				}
				wanted = yield(v)
				return wanted
			})
			switch {
			case err != nil:
				logger.LogAttrs(ctx, level, message, slog.String("event", "error"), slog.Any("error", err))
			case !wanted:
				logger.LogAttrs(ctx, level, message, slog.String("event", "unsubscribe"))
			default:
				logger.LogAttrs(ctx, level, message, slog.String("event", "complete"))
			}
			return err
		}
	}
}
