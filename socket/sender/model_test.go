package sender_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/sender"
	"github.com/rxipc/rxipc/stream"
)

// TestSenderModel runs a sender while its server dies, restarts and rejects, and with a spool while the
// sender dies, too. Nothing that the spool has taken is lost.
func TestSenderModel(t *testing.T) {
	for seed := range uint64(30) {
		for _, spooled := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) { newModel(t, seed, spooled).run() })
		}
	}
}

// model is a world in which things go wrong at random times.
type model struct {
	*world
	random *rand.Rand
	seed   uint64
	spool  string // "": in memory

	taken     []string // by the sender, in order
	delivered []string // in the deliveries of all lives of the sender
	doubtful  map[string]bool
}

func newModel(t *testing.T, seed uint64, spooled bool) *model {
	m := &model{world: newWorld(t), random: rand.New(rand.NewPCG(seed, 1)), seed: seed, doubtful: map[string]bool{}}
	if spooled {
		m.spool = t.TempDir()
	}
	return m
}

const modelMessages = 300

func (m *model) run() {
	ctx, stop := context.WithCancel(context.Background())
	troubled := make(chan struct{})
	go func() { m.trouble(ctx); close(troubled) }()
	for life := 0; ; life++ {
		mortal, die := context.WithCancel(ctx)
		if m.spool != "" && life < 4 {
			time.AfterFunc(time.Duration(m.random.IntN(4000))*time.Millisecond, die)
		}
		err := m.live(mortal)
		die()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) || m.spool == "" {
			m.t.Fatalf("seed %d: send: got %v, want no error", m.seed, err)
		}
	}
	stop()
	<-troubled
	m.end()
	m.judge()
}

// live is a life of the sender. With a spool, it ends as by kill -9: a copy of the spool at some
// moment of it, with an incomplete record at its end perhaps, is what the next one finds.
func (m *model) live(ctx context.Context) error {
	config := sender.Config{Buffer: 20, Spool: m.spool, SpoolBytes: 6000, Attempts: -1}
	rest := m.source(len(m.taken))
	err := sender.New(m.ipc, name, config).SendAll(rest)(ctx, func(d sender.Delivery) bool {
		if d.Err != nil {
			m.t.Errorf("seed %d: the delivery of %v failed with %v, want none without a limit of attempts", m.seed, d.Message, d.Err)
		}
		m.delivered = append(m.delivered, d.Message.Content())
		m.doubtful[d.Message.Content()] = m.doubtful[d.Message.Content()] || d.Doubtful
		return true
	})
	if err != nil && m.spool != "" && m.random.IntN(2) == 0 {
		m.tear()
	}
	return err
}

// source emits the messages from one on, at random times. A message counts as taken when yield has
// returned true.
func (m *model) source(from int) stream.Observable[socket.Message] {
	random := rand.New(rand.NewPCG(m.seed, uint64(from)))
	return func(ctx context.Context, yield func(socket.Message) bool) error {
		for i := from; i < modelMessages; i++ {
			if random.IntN(10) == 0 {
				select {
				case <-time.After(time.Duration(random.IntN(200)) * time.Millisecond):
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			content := fmt.Sprint(i)
			if !yield(socket.Text(content)) {
				return context.Cause(ctx)
			}
			m.taken = append(m.taken, content)
		}
		return nil
	}
}

// trouble starts, ends and kills the server, and lets it reject messages.
func (m *model) trouble(ctx context.Context) {
	random := rand.New(rand.NewPCG(m.seed, 2))
	m.serve()
	for ctx.Err() == nil {
		stream.Timer(time.Duration(random.IntN(1000)) * time.Millisecond).Run(ctx)
		switch random.IntN(3) {
		case 0:
			m.network.cut()
		case 1:
			m.end()
			m.serve()
		default:
			m.mu.Lock()
			m.fail = func(string) error {
				m.fail = nil
				return errors.New("no")
			}
			m.mu.Unlock()
		}
	}
}

// tear appends the beginning of a record to the last segment.
func (m *model) tear() {
	paths, err := filepath.Glob(filepath.Join(m.spool, "*.spool"))
	if err != nil || len(paths) == 0 {
		m.t.Fatalf("seed %d: find the segments: got %d, %v", m.seed, len(paths), err)
	}
	file, err := os.OpenFile(slices.Max(paths), os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		_, err = file.WriteString("\x00\x00\x00\x20\x01\x02\x03\x04\x00\x0atext/"[:1+m.random.IntN(15)])
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		m.t.Fatalf("seed %d: tear a record: %v", m.seed, err)
	}
}

// judge checks that all is there, in order, and that only doubtful messages came twice.
func (m *model) judge() {
	m.t.Helper()
	if len(m.taken) != modelMessages {
		m.t.Errorf("seed %d: %d messages were taken, want %d", m.seed, len(m.taken), modelMessages)
	}
	handled, delivered := map[string]int{}, map[string]int{}
	for _, content := range m.handled {
		handled[content]++
	}
	for _, content := range m.delivered {
		delivered[content]++
	}
	for _, content := range m.taken {
		switch {
		case handled[content] == 0:
			m.t.Errorf("seed %d: message %s was taken and is lost", m.seed, content)
		case delivered[content] == 0:
			m.t.Errorf("seed %d: message %s has no delivery", m.seed, content)
		case handled[content] > 1 && !m.doubtful[content]:
			m.t.Errorf("seed %d: message %s came %d times and was not doubtful", m.seed, content, handled[content])
		case m.spool == "" && delivered[content] > 1:
			m.t.Errorf("seed %d: message %s has %d deliveries, want one", m.seed, content, delivered[content])
		}
	}
	first := slices.Compact(slices.Clone(m.handled)) // the order in which messages came first
	seen := map[string]bool{}
	first = slices.DeleteFunc(first, func(content string) bool {
		was := seen[content]
		seen[content] = true
		return was
	})
	if !slices.Equal(first, m.taken) {
		m.t.Errorf("seed %d: the messages came first in the order %q, want %q", m.seed, first, m.taken)
	}
}
