package inspect

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/pubsub"
	"github.com/rxipc/rxipc/stream/stages"
)

// Options are what a program allows those who look. The zero value shows no contents.
type Options struct {
	// Token must be sent with each request to a Handler. If it is empty, a Handler demands none,
	// and Serve makes a random one. Methods need none.
	Token string

	// Contents lets a viewer see the values of a stage as fmt prints them.
	Contents bool
}

// Inspector knows what there is to see of a program. Its methods may be called from any goroutine.
type Inspector struct {
	registry    stages.Registry
	history     history
	connections tracker

	mu      sync.Mutex
	members map[*member]struct{}
}

// New returns an Inspector that shows nothing yet.
func New() *Inspector { return &Inspector{members: make(map[*member]struct{})} }

// Follow returns a context whose runs are followed, see [stages.Registry.Follow].
func (i *Inspector) Follow(ctx context.Context) context.Context { return i.registry.Follow(ctx) }

// Member is a subject, hub or pool, with its present numbers.
type Member struct {
	Kind   string  `json:"kind"` // subject, hub, pool
	Name   string  `json:"name"` // that the program gives it
	Fields []Field `json:"fields"`
}

// Field is a number with a name.
type Field struct {
	Name  string `json:"name"`  // such as "observers"
	Value int    `json:"value"` // at present, or by now
}

// member is a Member that is asked for its numbers.
type member struct {
	kind, name string
	fields     func() []Field
}

// Add shows something with its numbers until remove is called. fields is called whenever somebody
// looks, on any goroutine, and must not block.
func (i *Inspector) Add(kind, name string, fields func() []Field) (remove func()) {
	m := &member{kind, name, fields}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.members[m] = struct{}{}
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		delete(i.members, m)
	}
}

// Subject shows a [github.com/rxipc/rxipc/stream.Subject] until remove is called.
func (i *Inspector) Subject(name string, s interface{ Observers() int }) (remove func()) {
	return i.Add("subject", name, func() []Field { return []Field{{"observers", s.Observers()}} })
}

// Hub shows a hub until remove is called.
func (i *Inspector) Hub(name string, h *pubsub.Hub) (remove func()) {
	return i.Add("hub", name, func() []Field {
		s := h.Stats()
		return []Field{{"subscribers", s.Subscribers}, {"waiting", s.Waiting}, {"published", int(s.Published)},
			{"delivered", int(s.Delivered)}, {"dropped", int(s.Dropped)}, {"slow subscribers", int(s.Slow)}}
	})
}

// Pool shows a pool of connections until remove is called.
func (i *Inspector) Pool(name string, p *socket.Pool) (remove func()) {
	return i.Add("pool", name, func() []Field {
		s := p.Stats()
		return []Field{{"connections", s.Connections}, {"in flight", s.InFlight}, {"waiting", s.Waiting}, {"requests", int(s.Requests)},
			{"failed", int(s.Failed)}, {"retried", int(s.Retried)}, {"lost", int(s.Lost)}}
	})
}

// maxMembers is how many members a snapshot has at most.
const maxMembers = 100

// listMembers returns the first members by kind and name, and how many there are.
func (i *Inspector) listMembers() (list []Member, total int) {
	i.mu.Lock()
	all := make([]*member, 0, len(i.members))
	for m := range i.members {
		all = append(all, m)
	}
	i.mu.Unlock()
	slices.SortFunc(all, func(a, b *member) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name)) })
	for _, m := range all[:min(len(all), maxMembers)] {
		list = append(list, Member{m.kind, m.name, m.fields()})
	}
	return list, len(all)
}
