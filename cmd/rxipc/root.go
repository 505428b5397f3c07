package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// options are the flags of all commands.
type options struct {
	dir     string
	users   []string
	json    bool
	timeout time.Duration
}

func newRoot() *cobra.Command {
	var o options
	root := &cobra.Command{
		Use:   "rxipc",
		Short: "Talk to the servers of this machine that speak the protocol of rxipc and innmind/ipc",
		Example: `  rxipc serve echo &
  rxipc request echo hello
  rxipc ls`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.Args = cobra.ArbitraryArgs
	root.RunE = func(command *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("%w: there is no command %q", errUsage, args[0])
		}
		return command.Help()
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	flags := root.PersistentFlags()
	flags.StringVar(&o.dir, "dir", "", "folder of the sockets (default "+socket.DefaultDir()+")")
	flags.StringSliceVar(&o.users, "user", nil, "also trust servers, and admit clients, of these users")
	flags.BoolVar(&o.json, "json", false, "print JSON, an object a line")
	flags.DurationVar(&o.timeout, "timeout", 5*time.Second, "how long to wait for a server, and for each answer; 0 for no limit")
	for _, command := range []*cobra.Command{
		o.ls(), o.ping(), o.send(), o.request(), o.call(), o.describe(), o.watch(), o.serve(), o.record(), o.replay(), o.bench(), o.doctor(),
		o.top(), o.inspect(),
	} {
		command.Args = usage(command.Args)
		root.AddCommand(command)
	}
	return root
}

// usage makes a wrong number of arguments an errUsage.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		if err := check(command, args); err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		return nil
	}
}

// ipc returns the library with the flags' configuration.
func (o *options) ipc() *socket.IPC { return socket.New(o.config()) }

func (o *options) config() socket.Config {
	var trusted socket.Authorizer
	if len(o.users) > 0 {
		trusted = socket.Users(o.users...)
	}
	return socket.Config{
		Dir:          o.dir,
		ClientConfig: socket.ClientConfig{Servers: trusted},
		ServerConfig: socket.ServerConfig{Clients: trusted},
	}
}

// limited returns a context for one wait.
func (o *options) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if o.timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, o.timeout)
}

// connect connects to the server of a name.
func (o *options) connect(ctx context.Context, text string) (*socket.Process, error) {
	name, err := parseName(text)
	if err != nil {
		return nil, err
	}
	ctx, cancel := o.limited(ctx)
	defer cancel()
	return o.ipc().ConnectTo(ctx, name).Get()
}

// with calls use with a connection to the server of a name, and closes it.
func (o *options) with(ctx context.Context, name string, use func(*socket.Process) error) error {
	p, err := o.connect(ctx, name)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := o.limited(context.WithoutCancel(ctx))
		defer cancel()
		p.Close(closing)
	}()
	return use(p)
}

// ask makes a request, within the time limit.
func (o *options) ask(ctx context.Context, p *socket.Process, m socket.Message) (socket.Message, error) {
	ctx, cancel := o.limited(ctx)
	defer cancel()
	return p.Request(ctx, m).Get()
}

func parseName(text string) (socket.Name, error) {
	name, err := socket.ParseName(text)
	if err != nil {
		return socket.Name{}, fmt.Errorf("%w: %w", errUsage, err)
	}
	return name, nil
}

// completeNames completes the names that listen.
func (o *options) completeNames(command *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	ctx, cancel := context.WithTimeout(command.Context(), time.Second)
	defer cancel()
	names := o.ipc().Names(ctx)
	return fold.Map(names, func(names []socket.Name) (texts []string) {
		for _, name := range names {
			texts = append(texts, name.String())
		}
		return texts
	}).GetOr(nil), cobra.ShellCompDirectiveNoFileComp
}
