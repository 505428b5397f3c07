package inspect

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// Connection is what there is to see of a connection.
type Connection struct {
	ID       uint64  `json:"id"`       // for Close; as socket.Connection.ID and socket.Process.ID have it
	Side     string  `json:"side"`     // "server" or "client": the end that this program has
	Name     string  `json:"name"`     // the name of the server
	Peer     string  `json:"peer"`     // the process at the other end; empty if the system does not tell it
	Messages uint64  `json:"messages"` // of a server: handled; of a client: sent and arrived
	Held     int     `json:"held"`     // of a server: messages whose answers are held
	InFlight int     `json:"inFlight"` // of a client: messages without an acknowledgement
	Unread   int     `json:"unread"`   // of a client: messages that wait to be read
	Open     float64 `json:"open"`     // seconds since it was opened
	Silent   float64 `json:"silent"`   // seconds since the last message
}

// tracker has the connections that are open now.
type tracker struct {
	open sync.Map // *socket.Connection or *socket.Process to *tracked
}

type tracked struct {
	opened   time.Time
	last     atomic.Int64 // nanoseconds after opened
	messages atomic.Uint64
}

func (t *tracker) add(connection any) { t.open.Store(connection, &tracked{opened: time.Now()}) }

// count counts a message.
func (t *tracker) count(connection any) {
	if found, ok := t.open.Load(connection); ok {
		c := found.(*tracked)
		c.messages.Add(1)
		c.last.Store(int64(time.Since(c.opened)))
	}
}

// Connections follows the connections of the servers and clients that are made with the config
// afterwards, by socket.New. Its hooks call the hooks that are set already. Since a hook gets the
// messages of a server, their contents are not lent (see [socket.Server.WithViews]).
func (i *Inspector) Connections(config *socket.Config) {
	t := &i.connections
	s := &config.Hooks.ServerHooks
	s.Opened = before(s.Opened, func(c *socket.Connection) { t.add(c) })
	s.Closed = before(s.Closed, func(e socket.Ending) { t.open.Delete(e.Connection) })
	s.Handled = before(s.Handled, func(h socket.Handling) { t.count(h.Connection) })
	c := &config.Hooks.ClientHooks
	c.Connected = before(c.Connected, func(p *socket.Process) { t.add(p) })
	c.Disconnected = before2(c.Disconnected, func(p *socket.Process) { t.open.Delete(p) })
	c.Sent = before2(c.Sent, func(p *socket.Process) { t.count(p) })
	c.Arrived = before2(c.Arrived, func(p *socket.Process) { t.count(p) })
}

// before returns a hook that calls first, and then hook if it is set.
func before[T any](hook, first func(T)) func(T) {
	return func(v T) {
		first(v)
		if hook != nil {
			hook(v)
		}
	}
}

// before2 is before for hooks with two arguments.
func before2[T, U any](hook func(T, U), first func(T)) func(T, U) {
	return func(v T, u U) {
		first(v)
		if hook != nil {
			hook(v, u)
		}
	}
}

// end is an end of a connection: a *socket.Connection or a *socket.Process.
type end interface {
	ID() uint64
	Peer() fold.Maybe[socket.Peer]
}

// look returns the numbers of a connection now.
func look(key any, t *tracked, now time.Time) Connection {
	open := now.Sub(t.opened)
	c := Connection{ID: key.(end).ID(), Messages: t.messages.Load(), Open: open.Seconds(), Silent: (open - time.Duration(t.last.Load())).Seconds()}
	switch connection := key.(type) {
	case *socket.Connection:
		c.Side, c.Name, c.Held = "server", connection.Name(), connection.Held()
	case *socket.Process:
		c.Side, c.Name, c.InFlight = "client", connection.Name().String(), connection.InFlight()
		c.Unread, _ = connection.Unread()
	}
	return c
}

func peerText(key any) string {
	p, ok := key.(end).Peer().Get()
	if !ok {
		return ""
	}
	return p.String()
}

// Totals are sums over all connections.
type Totals struct {
	Connections int `json:"connections"` // that are open
	Servers     int `json:"servers"`     // of these, ends of servers
	Held        int `json:"held"`        // messages whose answers are held
	InFlight    int `json:"inFlight"`    // messages of clients without an acknowledgement
	Unread      int `json:"unread"`      // messages that wait to be read by clients
}

// busy is a connection with its end.
type busy struct {
	Connection
	end any
}

// list returns a page of the connections that a query finds, those with most work first, how many
// it finds, and the totals of all.
func (t *tracker) list(q Query, now time.Time) (page []Connection, found int, all Totals) {
	var list []busy
	t.open.Range(func(key, value any) bool {
		c := look(key, value.(*tracked), now)
		all.Connections++
		if c.Side == "server" {
			all.Servers++
		}
		all.Held += c.Held
		all.InFlight += c.InFlight
		all.Unread += c.Unread
		if q.Find == "" || strings.Contains(c.Name, q.Find) || strings.Contains(peerText(key), q.Find) {
			list = append(list, busy{c, key})
		}
		return true
	})
	slices.SortFunc(list, func(a, b busy) int {
		return cmp.Or(-cmp.Compare(a.Held+a.InFlight+a.Unread, b.Held+b.InFlight+b.Unread), cmp.Compare(a.ID, b.ID))
	})
	from := min(max(0, q.Connections), len(list))
	for _, c := range list[from:min(len(list), from+connectionsPage)] {
		c.Peer = peerText(c.end)
		page = append(page, c.Connection)
	}
	return page, len(list), all
}

// Close closes the connection with the ID of a [Connection]. It fails if there is none any more.
func (i *Inspector) Close(ctx context.Context, id uint64) error {
	var found any
	i.connections.open.Range(func(key, _ any) bool {
		if key.(end).ID() == id {
			found = key
		}
		return found == nil
	})
	switch connection := found.(type) {
	case *socket.Connection:
		connection.Close()
	case *socket.Process:
		return connection.Close(ctx).Err()
	default:
		return fmt.Errorf("inspect: there is no connection %d any more", id)
	}
	return nil
}
