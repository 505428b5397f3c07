//go:build unix

package socket

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/fold"
)

// firstUses is what can be done with an IPC first, and the error of it.
func firstUses(ctx context.Context, ipc *IPC) map[string]func() error {
	return map[string]func() error{
		"Listen":    func() error { return ipc.Listen(counter).Run(ctx) },
		"Serve":     func() error { return Serve(ipc, counter, fold.Sum[int]()).With(ctx, echo).Err() },
		"Accept":    func() error { return ipc.Accept(newMemoryListener()).Run(ctx) },
		"ConnectTo": func() error { return ipc.ConnectTo(ctx, counter).Err() },
		"Dial":      func() error { return ipc.Dial(ctx, counter).Err() },
		"Attach": func() error {
			ours, _ := net.Pipe()
			return ipc.Attach(ctx, ours).Err()
		},
		"Follow": func() error { return ipc.Follow(counter, FollowConfig{}).Run(ctx) },
		"Names":  func() error { return ipc.Names(ctx).Err() },
		"Pool": func() error {
			pool := ipc.Pool(counter, PoolConfig{})
			defer pool.Close(ctx)
			return pool.Request(ctx, Text("a")).Err()
		},
	}
}

func TestConfigThatCannotBeIsAnErrorOfTheFirstUse(t *testing.T) {
	ours := func(net.Conn, fold.Maybe[Peer]) error { panic("an authorizer was asked without a connection") }
	for what, config := range map[string]Config{
		`Config.Clients: invalid: "nobody-here"`:     {ServerConfig: ServerConfig{Clients: Users("0", "nobody-here")}},
		`Config.Servers: invalid: "nobody-here"`:     {ClientConfig: ClientConfig{Servers: Users("nobody-here")}},
		`Config.Clients: invalid: "none-here"`:       {ServerConfig: ServerConfig{Clients: Groups("none-here")}},
		`Config.Clients: invalid: ""`:                {ServerConfig: ServerConfig{Clients: Users("")}},
		`Config.Clients: invalid: "-1"`:              {ServerConfig: ServerConfig{Clients: Users("-1")}},
		`"4294967295" is the number of nobody`:       {ServerConfig: ServerConfig{Clients: Groups("4294967295")}},
		`Config.Clients: invalid: "deep"`:            {ServerConfig: ServerConfig{Clients: AnyOf(ours, AnyOf(Users("0"), Groups("deep")))}},
		"Config.Clients: invalid: Users without":     {ServerConfig: ServerConfig{Clients: Users()}},
		"Config.Servers: invalid: Groups without":    {ClientConfig: ClientConfig{Servers: Groups([]string{}...)}},
		"Config.Clients: invalid: Groups without":    {ServerConfig: ServerConfig{Clients: AnyOf(Users("0"), Groups())}},
		"AnyOf without an authorizer":                {ClientConfig: ClientConfig{Servers: AnyOf()}},
		"Config.Transport is a nil *socket.Unix":     {Transport: (*Unix)(nil)},
		"an Authorizer is nil":                       {ClientConfig: ClientConfig{Servers: AnyOf(Anyone, nil)}},
		"Dialect 9":                                  {ServerConfig: ServerConfig{Dialect: 9}},
		"Config.Dir \"somewhere\" is not used":       {Dir: "somewhere", Transport: newMemory(0)},
		"Config.Heartbeat is 5ns":                    {Heartbeat: 5},
		"Config.FrameTimeout is 30ns, less than 1ms": {FrameTimeout: 30},
		"Config.SilenceTimeout is 3ns, less than":    {SilenceTimeout: 3},
	} {
		t.Run(what, func(t *testing.T) {
			if config.Transport == nil {
				config.Transport = newMemory(0)
			}
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				for use, try := range firstUses(ctx, New(config)) {
					start := time.Now()
					err := try()
					if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), what) {
						t.Errorf("%s: %v; want ErrInvalid and %q", use, err, what)
					}
					if took := time.Since(start); took > 0 {
						t.Errorf("%s took %v to find out, want no time", use, took)
					}
				}
			})
		})
	}
}

func TestConfigThatCanBeIsUsed(t *testing.T) {
	for what, config := range map[string]Config{
		"nothing":            {},
		"all numbers":        {ServerConfig: ServerConfig{Clients: Users("1", "4294967294")}, ClientConfig: ClientConfig{Servers: Groups("7")}},
		"one of one's own":   {ServerConfig: ServerConfig{Clients: func(net.Conn, fold.Maybe[Peer]) error { return nil }}},
		"negative durations": {Heartbeat: -1, ServerConfig: ServerConfig{HandshakeTimeout: -1, WriteTimeout: -1}, FrameTimeout: -1, Grace: -1},
		"Dialect4":           {ServerConfig: ServerConfig{Dialect: Dialect4}},
	} {
		if err := New(config).invalid; err != nil {
			t.Errorf("a config with %s: %v, want no error", what, err)
		}
	}
}

func TestUnixThatCannotBeIsAnErrorOfTheFirstUse(t *testing.T) {
	for what, u := range map[string]Unix{
		"none-here":                      {Group: "none-here"},
		"the number of nobody":           {Group: "4294967295"},
		"an octal number begins with 0o": {Mode: 660},
		"lets nobody write":              {Mode: 0o444},
		"a zero byte":                    {Dir: "a\x00b"},
	} {
		ctx := t.Context()
		uses := firstUses(ctx, New(Config{Transport: u}))
		uses["Unix.Listen"] = func() error { _, err := u.Listen(ctx, counter); return err }
		uses["Unix.Dial"] = func() error { _, err := u.Dial(ctx, counter); return err }
		uses["Unix.Names"] = func() error { _, err := u.Names(ctx); return err }
		delete(uses, "Accept") // these use no Unix
		delete(uses, "Attach")
		for use, try := range uses {
			if err := try(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), what) {
				t.Errorf("%s with %+v: %v; want ErrInvalid and %q", use, u, err, what)
			}
		}
	}
}

func TestNameThatNoPathCanHoldIsInvalid(t *testing.T) {
	long := MustParseName(strings.Repeat("n", 200))
	ipc, ctx := New(Config{Dir: t.TempDir()}), t.Context()
	for use, err := range map[string]error{
		"ConnectTo": ipc.ConnectTo(ctx, long).Err(),
		"Listen":    ipc.Listen(long).Run(ctx),
		"Follow":    ipc.Follow(long, FollowConfig{}).Run(ctx),
	} {
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), long.String()+".sock has ") {
			t.Errorf("%s of a name of %d bytes: %v; want ErrInvalid and the path", use, len(long.String()), err)
		}
	}
}
