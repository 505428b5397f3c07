package operators

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// ErrTooManyGroups is the error of a GroupBy whose source has a value of a new key when as
// many groups are open as may be.
var ErrTooManyGroups = errors.New("operators: too many groups")

// DefaultGroups is how many groups a GroupBy without a limit of its own may have open.
const DefaultGroups = 1 << 16

// GroupOption sets how many groups GroupBy has open, what they hold, and when they end
// before the source does.
type GroupOption func(*groupConfig)

type groupConfig struct {
	capacity int
	overflow stream.Overflow
	limit    int
	evict    bool
	count    int
	idle     time.Duration
	reopens  bool
}

// GroupBuffer sets how many values of each group may wait for its reader (at least one),
// and what happens with one more. The default is [stream.DefaultBuffer] and [stream.Block].
// With Block a slow reader slows the source, and so the other groups. A group that is read
// after another one needs room for all values that come for it meanwhile
// ([ErrGroupsStalled]). With [stream.Fail], Values fail with [stream.ErrOverflow]; the
// other groups go on. [Group.Dropped] counts the values that a group drops.
func GroupBuffer(capacity int, overflow stream.Overflow) GroupOption {
	return func(c *groupConfig) { c.capacity, c.overflow = capacity, overflow }
}

// GroupLimit lets at most n groups be open. One key more ends the run and all groups with
// [ErrTooManyGroups]. The default is [DefaultGroups]. An n below one counts as one.
func GroupLimit(n int) GroupOption {
	return func(c *groupConfig) { c.limit, c.evict = max(1, n), false }
}

// GroupLatest lets at most n groups be open. One key more completes the group whose last
// value is the oldest. An n below one counts as one.
func GroupLatest(n int) GroupOption {
	return func(c *groupConfig) { c.limit, c.evict = max(1, n), true }
}

// GroupCount completes each group with its nth value. An n below one is one.
func GroupCount(n int) GroupOption { return func(c *groupConfig) { c.count = max(1, n) } }

// GroupIdle completes a group that has been without a value for d. With it, the source runs
// on a goroutine of its own, at most [stream.DefaultBuffer] values ahead. A d of zero or
// less counts as a nanosecond.
func GroupIdle(d time.Duration) GroupOption {
	return func(c *groupConfig) { c.idle = max(1, d) }
}

// GroupReopens emits a new group of the same key when a value comes for a group whose reader
// has left. The new group has the values that waited for that reader, and then the values
// that come. Without GroupReopens these values are dropped, and counted by [Group.Dropped].
// A group that nobody reads from the start (see [Group.Values]) is not opened again. A group
// that has ended is not opened again either, so values that wait in it when its reader leaves
// are dropped.
func GroupReopens() GroupOption { return func(c *groupConfig) { c.reopens = true } }

// GroupBy emits a [Group] for each key when the first value of the key comes.
// [Group.Values] says how a group is read. The usual reader of all groups is MergeMap:
//
//	totals := stream.Pipe2(words,
//		operators.GroupBy(initial),
//		operators.MergeMap(func(g operators.Group[string, string]) stream.Observable[int] {
//			return operators.Count[string]()(g.Values())
//		}),
//	)
//
// A group ends as the source does, or earlier by a [GroupCount], [GroupIdle] or
// [GroupLatest]. The next value of its key then opens another group. When the reader of a
// group has left, the values that come for it are dropped and counted ([Group.Dropped]),
// unless [GroupReopens] is set. The state of a group is kept until it ends, so the number
// of open groups has a limit ([GroupLimit]). A key that does not equal itself, such as NaN,
// has a group for each of its values.
//
// The source runs on a goroutine of its own, where key is called too. It waits when a
// group's buffer is full ([GroupBuffer]), or when [stream.DefaultBuffer] groups wait for
// yield. So readers may wait for each other's groups: a MergeMap with a
// Limit, or a ConcatMap, over groups that do not end by themselves, reads the first ones
// until the buffer of another is full. The run fails with [ErrGroupsStalled] then, and
// [Group.Values] says which stalls are noticed. Where a monoid makes one value of each key,
// [FoldByKey] does so in a loop.
func GroupBy[T any, K comparable](key func(T) K, options ...GroupOption) stream.Operator[T, Group[K, T]] {
	mustHave("GroupBy", "function", key != nil)
	config := groupConfig{capacity: stream.DefaultBuffer, limit: DefaultGroups}
	for _, option := range options {
		mustHave("GroupBy", "option", option != nil)
		option(&config)
	}
	return func(source stream.Observable[T]) stream.Observable[Group[K, T]] {
		mustHave("GroupBy", "observable", source != nil)
		return grouped("GroupBy", stream.DefaultBuffer, func(ctx context.Context, o *groupOpener[K, T]) error {
			b := byKey[K, T]{groupConfig: config, groupOpener: o, of: make(map[K]*keyed[K, T])}
			o.keepRest = config.reopens
			value := func(v T) bool { return b.take(key(v), v) }
			var err error
			if config.idle > 0 {
				err = stream.Timed(ctx, source, &b.alarm, value, b.endIdle)
			} else {
				err = source(ctx, value)
			}
			if b.failed != nil {
				return b.failed
			}
			return err
		})
	}
}

// byKey are the open groups of a run.
type byKey[K comparable, T any] struct {
	groupConfig
	*groupOpener[K, T]
	of     map[K]*keyed[K, T]
	recent list.List // of *keyed, that with the oldest last value first; used by some options only
	alarm  stream.Alarm
	failed error
}

// keyed is an open group.
type keyed[K comparable, T any] struct {
	key   K
	out   *groupOutput[T]
	taken int
	place *list.Element // in recent
	last  time.Time     // when its last value came; used by some options only
}

// take gives a value to its group and reports whether the run goes on.
func (b *byKey[K, T]) take(key K, v T) bool {
	group := b.of[key]
	if group == nil || group.place != nil { // most values save this call
		if group = b.ready(group, key); group == nil {
			return false
		}
	}
	goesOn := true
	if !group.out.Next(v) {
		if b.reopens && group.out.fate.Load() == claimed {
			return b.reopen(key, v)
		}
		goesOn = b.refuse(group.out)
	}
	b.counts(group)
	return goesOn
}

// ready returns the group for a value, and notes that it has one now, for its limits. If
// group is nil, it begins a group of the key. It returns nil if the run is over.
func (b *byKey[K, T]) ready(group *keyed[K, T], key K) *keyed[K, T] {
	if group == nil {
		if group = b.begin(key); group == nil {
			return nil
		}
	}
	if group.place != nil {
		b.touch(group)
	}
	return group
}

// counts counts a value of a group, which may be its last.
func (b *byKey[K, T]) counts(group *keyed[K, T]) {
	if b.count > 0 {
		if group.taken++; group.taken == b.count {
			b.finish(group)
		}
	}
}

// reopen gives a value that a group did not take, and what waited for its reader, to the
// next groups of its key, whose readers may leave, too.
func (b *byKey[K, T]) reopen(key K, v T) bool {
	for values := []T{v}; len(values) > 0; {
		group := b.ready(b.of[key], key)
		switch {
		case group == nil:
			return false
		case group.out.Next(values[0]):
			values = values[1:]
			b.counts(group)
		case group.out.fate.Load() == claimed && b.goesOn():
			values = append(group.out.Rest(), values...)
			b.finish(group)
		case b.refuse(group.out):
			values = values[1:]
			b.counts(group)
		default:
			return false
		}
	}
	return true
}

// begin opens a group; nil if the run is over.
func (b *byKey[K, T]) begin(key K) *keyed[K, T] {
	if b.evict && len(b.open) == b.limit {
		b.finish(b.recent.Front().Value.(*keyed[K, T]))
	}
	if len(b.open) == b.limit {
		b.failed = fmt.Errorf("%w: %d are open, and there is a value for %v", ErrTooManyGroups, b.limit, key)
		return nil
	}
	out := b.add(key, b.capacity, b.overflow)
	if out == nil {
		return nil
	}
	group := &keyed[K, T]{key: key, out: out}
	if same := key; same == key { // a NaN would never be found there, nor deleted
		b.of[key] = group
	}
	if b.evict || b.idle > 0 {
		group.place = b.recent.PushBack(group)
	}
	return group
}

// touch takes note that a group has a value now.
func (b *byKey[K, T]) touch(group *keyed[K, T]) {
	b.recent.MoveToBack(group.place)
	if b.idle > 0 {
		group.last = time.Now()
		if b.recent.Len() == 1 {
			b.alarm.Set(b.idle)
		}
	}
}

// finish completes a group; the next value of its key opens another.
func (b *byKey[K, T]) finish(group *keyed[K, T]) {
	b.end(group.out)
	delete(b.of, group.key)
	if group.place != nil {
		b.recent.Remove(group.place)
	}
}

// endIdle completes the groups that have been idle for long enough, and sets the alarm
// for the next one.
func (b *byKey[K, T]) endIdle() bool {
	for front := b.recent.Front(); front != nil; front = b.recent.Front() {
		group := front.Value.(*keyed[K, T])
		if left := b.idle - time.Since(group.last); left > 0 {
			b.alarm.Set(left)
			break
		}
		b.finish(group)
	}
	return true
}
