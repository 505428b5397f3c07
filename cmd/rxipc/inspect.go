package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rxipc/rxipc/inspect"
	"github.com/rxipc/rxipc/socket"
)

func (o *options) inspect() *cobra.Command {
	var address string
	command := &cobra.Command{
		Use:   "inspect NAME",
		Short: "Serve a page that shows the running pipelines and connections of a program",
		Long: `Serve a page that shows the running pipelines and connections of a program, whose server has the methods of
package inspect (Inspector.Methods). The page is served on the loopback until the command is interrupted. Its
address, which is printed, has a token: whoever gets it can look, and close connections.`,
		Example:           `  rxipc inspect shop`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeNames,
		RunE: func(command *cobra.Command, args []string) error {
			return o.withInspected(command.Context(), args[0], func(pool *socket.Pool) error {
				return inspect.ServeRemote(command.Context(), pool, address, inspect.Options{}, func(url string) {
					fmt.Fprintln(command.OutOrStdout(), url)
				})
			})
		},
	}
	command.Flags().StringVar(&address, "listen", "127.0.0.1:0", "address of the loopback to serve the page at")
	return command
}

// withInspected calls use with a pool of connections to a program that can be inspected.
func (o *options) withInspected(ctx context.Context, text string, use func(*socket.Pool) error) error {
	name, err := parseName(text)
	if err != nil {
		return err
	}
	// One try, with the time limit, so that a wrong name or a server without the methods fails at once.
	if err := o.with(ctx, text, func(p *socket.Process) error {
		limited, cancel := o.limited(ctx)
		defer cancel()
		return inspect.Watch.Observe(p, inspect.Query{}).First(limited).Err()
	}); err != nil {
		return err
	}
	pool := o.ipc().Pool(name, socket.PoolConfig{})
	defer pool.Close(context.WithoutCancel(ctx))
	return use(pool)
}
