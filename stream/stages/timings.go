package stages

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// timings are the measured latencies of a place. Runs add to them concurrently.
type timings struct {
	busy, idle atomic.Int64 // nanoseconds
	counts     [buckets]atomic.Uint64
}

// A latency is counted in one of four buckets for each power of two, from 128 ns on, so that a
// quantile is right to an eighth.
const (
	smallest = 7 // the power of two below which all latencies are in bucket 0
	perPower = 4
	buckets  = 36 * perPower
)

// add adds a latency of so many values, and the time that a run was busy and idle meanwhile.
func (t *timings) add(took, busy, idle time.Duration, values uint64) {
	t.busy.Add(int64(busy))
	t.idle.Add(int64(idle))
	t.counts[bucketOf(took)].Add(values)
}

func bucketOf(d time.Duration) int {
	if d < 1<<smallest {
		return 0
	}
	power := bits.Len64(uint64(d)) - 1
	part := int(uint64(d)>>(power-2)) & (perPower - 1)
	return min((power-smallest)*perPower+part, buckets-1)
}

// middle returns a latency in the middle of a bucket.
func middle(bucket int) time.Duration {
	power, part := bucket/perPower+smallest, bucket%perPower
	low := int64(1)<<power + int64(part)<<(power-2)
	return time.Duration(low + int64(1)<<(power-2)/2)
}

// Latencies is how long yield took for values that were timed, since the registry began to measure:
// the time that what follows a stage needs for a value.
type Latencies struct {
	Busy time.Duration // the sum
	Idle time.Duration // the sum of the waits for the source, before the same values

	counts []uint64
}

func (t *timings) read() Latencies {
	if t == nil {
		return Latencies{}
	}
	l := Latencies{Busy: time.Duration(t.busy.Load()), Idle: time.Duration(t.idle.Load()), counts: make([]uint64, buckets)}
	for i := range l.counts {
		l.counts[i] = t.counts[i].Load()
	}
	return l
}

// Since returns the latencies that were added after an earlier snapshot of the same stage.
func (l Latencies) Since(earlier Latencies) Latencies {
	if l.counts == nil {
		return l
	}
	d := Latencies{Busy: l.Busy - earlier.Busy, Idle: l.Idle - earlier.Idle, counts: make([]uint64, buckets)}
	copy(d.counts, l.counts)
	for i, n := range earlier.counts {
		d.counts[i] -= n
	}
	return d
}

// Count is how many values the latencies stand for.
func (l Latencies) Count() (n uint64) {
	for _, c := range l.counts {
		n += c
	}
	return n
}

// Quantile returns the latency that the share q of the values, from 0 to 1, does not exceed. It is
// right to an eighth. It is zero if no value was timed.
func (l Latencies) Quantile(q float64) time.Duration {
	rank := uint64(q * float64(l.Count()))
	for i, n := range l.counts {
		if n > rank || n > 0 && n == rank && q == 1 {
			return middle(i)
		}
		rank -= n
	}
	return 0
}
