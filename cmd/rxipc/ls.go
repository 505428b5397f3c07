package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/recording"
	"github.com/rxipc/rxipc/stream"
)

// server is what ls prints of a name.
type server struct {
	Name  string     `json:"name"`
	State string     `json:"state"`
	PID   int        `json:"pid,omitempty"`
	User  string     `json:"user,omitempty"`
	Since *time.Time `json:"since,omitempty"`

	Library     string `json:"library,omitempty"`     // rxipc or other
	Connections *int   `json:"connections,omitempty"` // missing: not known
}

// The states of a server.
const (
	responds  = "responds"
	busy      = "busy"      // its queue of connections is full
	frozen    = "frozen"    // it accepts, and says nothing
	dead      = "dead"      // it has left its socket behind
	untrusted = "untrusted" // of a user that this process does not trust
	refuses   = "refuses"   // it does not admit this process
)

func (o *options) ls() *cobra.Command {
	var all, watch bool
	command := &cobra.Command{
		Use:   "ls",
		Short: "List the servers that listen",
		Long: `List the servers that listen: name, state, process, user, since when, whether a program of rxipc or
another one (innmind/ipc, for instance), and on Linux the number of connections. The states:

  responds   it takes connections
  busy       its queue of connections is full
  frozen     it takes connections and says nothing: it is stopped, overloaded, or no server of this protocol
  untrusted  it runs as a user that --user does not name
  refuses    it does not admit this process
  dead       with --all: a socket whose server has died

ls connects to each server for a moment, and sends no message. So it does not show the dialect: that
shows in the acknowledgement of a message only. "rxipc record" shows it for a server that is used.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if watch {
				return o.watchServers(command.Context(), command.OutOrStdout(), all)
			}
			servers, err := o.servers(command.Context(), all)
			if err != nil {
				return err
			}
			return o.printServers(command.OutOrStdout(), servers)
		},
	}
	command.Flags().BoolVarP(&all, "all", "a", false, "also list dead servers")
	command.Flags().BoolVarP(&watch, "watch", "w", false, "go on, and print what changes, each second")
	return command
}

// servers looks at all names, side by side.
func (o *options) servers(ctx context.Context, all bool) ([]server, error) {
	names, err := socket.Unix{Dir: o.dir}.Names(ctx)
	if err != nil {
		return nil, err
	}
	servers := make([]server, len(names))
	counts, counted := openConnections() // before ls makes its own
	var looks sync.WaitGroup
	slots := make(chan struct{}, 16)
	for i, name := range names {
		slots <- struct{}{}
		looks.Go(func() {
			defer func() { <-slots }()
			servers[i] = o.look(ctx, name)
			if open := counts[o.path(name)]; counted {
				servers[i].Connections = &open
			}
		})
	}
	looks.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return slices.DeleteFunc(servers, func(s server) bool { return s.State == dead && !all }), nil
}

// look finds out about one server, within a second.
func (o *options) look(ctx context.Context, name socket.Name) server {
	s := server{Name: name.String(), State: responds}
	if info, err := os.Stat(o.path(name)); err == nil {
		since := info.ModTime()
		s.Since = &since
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var greeting bytes.Buffer
	config := o.config()
	config.Dir, config.Transport = "", recording.Transport(o.unix(), recording.NewWriter(&greeting, recording.Config{}))
	p, err := socket.New(config).Dial(ctx, name).Get()
	switch {
	case errors.Is(err, socket.ErrNotListening):
		s.State, s.Since = dead, nil
	case errors.Is(err, socket.ErrUntrusted):
		s.State = untrusted
	case errors.Is(err, socket.ErrBusy):
		s.State = busy
	case errors.Is(err, socket.ErrRefused), errors.Is(err, os.ErrPermission):
		s.State = refuses
	case err != nil:
		s.State = frozen
	default:
		if peer, known := p.Peer().Get(); known {
			s.PID, s.User = peer.PID, userName(peer.UID)
		}
		p.Close(ctx)
		s.Library = libraryOf(&greeting)
	}
	return s
}

// libraryOf tells a server of rxipc by the heartbeat before its greeting.
func libraryOf(greeting io.Reader) string {
	recorded, _ := recording.Read(greeting)
	for _, e := range recorded.Entries {
		switch e.Kind {
		case recording.Heartbeat:
			return "rxipc"
		case recording.Start:
			return "other"
		}
	}
	return ""
}

// path is the path of the socket of a name.
func (o *options) path(name socket.Name) string {
	dir := o.dir
	if dir == "" {
		dir = socket.DefaultDir()
	}
	return filepath.Join(dir, name.String()+".sock")
}

func userName(uid int) string {
	number := strconv.Itoa(uid)
	if found, err := user.LookupId(number); err == nil {
		return found.Username
	}
	return number
}

func (o *options) printServers(out io.Writer, servers []server) error {
	if o.json {
		for _, s := range servers {
			if err := printJSON(out, s); err != nil {
				return err
			}
		}
		return nil
	}
	if len(servers) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tSTATE\tPID\tUSER\tSINCE\tLIBRARY\tCONNECTIONS")
	for _, s := range servers {
		connections := "-"
		if s.Connections != nil {
			connections = strconv.Itoa(*s.Connections)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, s.State, number(s.PID), dash(s.User), when(s.Since), dash(s.Library), connections)
	}
	return table.Flush()
}

func number(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func when(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Format(time.DateTime)
}

// change is what ls --watch prints.
type change struct {
	Event string `json:"event"` // appears, changes or goes
	server
}

// watchServers prints the servers, and then what changes.
func (o *options) watchServers(ctx context.Context, out io.Writer, all bool) error {
	before := map[string]server{}
	look := func() error {
		servers, err := o.servers(ctx, all)
		if err != nil {
			return err
		}
		now := make(map[string]server)
		for _, s := range servers {
			now[s.Name] = s
		}
		for _, c := range changes(before, now) {
			if err := o.printChange(out, c); err != nil {
				return err
			}
		}
		before = now
		return nil
	}
	if err := look(); err != nil {
		return err
	}
	for range stream.Interval(time.Second).Seq(ctx) {
		if err := look(); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// changes compares two looks, in the order of names.
func changes(before, now map[string]server) (all []change) {
	for _, name := range slices.Sorted(maps.Keys(now)) {
		then, known := before[name]
		switch {
		case !known:
			all = append(all, change{"appears", now[name]})
		case then.State != now[name].State || then.PID != now[name].PID:
			all = append(all, change{"changes", now[name]})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, there := now[name]; !there {
			all = append(all, change{"goes", before[name]})
		}
	}
	return all
}

func (o *options) printChange(out io.Writer, c change) error {
	if o.json {
		return printJSON(out, c)
	}
	_, err := fmt.Fprintf(out, "%-8s %s: %s, process %s, user %s\n", c.Event, c.Name, c.State, number(c.PID), dash(c.User))
	return err
}
