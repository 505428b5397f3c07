package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

func (o *options) watch() *cobra.Command {
	var subscribe []string
	var count int
	command := &cobra.Command{
		Use:   "watch NAME",
		Short: "Print what a server pushes, across its restarts",
		Long: `Print each message that a server pushes, across its restarts. It waits for the server without a limit.
Gaps are reported on the standard error output.`,
		Example: `  rxipc watch ticker
  rxipc watch news --subscribe '{"topic": "sports"}' --json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeNames,
		RunE: func(command *cobra.Command, args []string) error {
			name, err := parseName(args[0])
			if err != nil {
				return err
			}
			errs := command.ErrOrStderr()
			pushed := o.ipc().Follow(name, socket.FollowConfig{
				Subscribe: func(ctx context.Context, p *socket.Process) error {
					fmt.Fprintf(errs, "rxipc: connected to %v\n", name)
					return socket.Subscribe(messagesOf(subscribe)...)(ctx, p)
				},
				Lost: func(err error) { fmt.Fprintf(errs, "rxipc: messages may be missing from here: %v\n", err) },
			})
			if count > 0 {
				pushed = operators.Take[socket.Message](count)(pushed)
			}
			shown := operators.MapErr(func(m socket.Message) (socket.Message, error) {
				return m, o.print(command.OutOrStdout(), m)
			})
			err = stream.Pipe1(pushed, shown).Run(command.Context())
			if cause := context.Cause(command.Context()); cause != nil && errors.Is(err, cause) {
				return cause
			}
			return err
		},
	}
	command.Flags().StringArrayVarP(&subscribe, "subscribe", "s", nil, "send this message after each connect; may be repeated")
	command.Flags().IntVarP(&count, "count", "c", 0, "end after so many messages; 0 for no end")
	return command
}

func messagesOf(contents []string) (messages []socket.Message) {
	for _, content := range contents {
		messages = append(messages, message(socket.MediaType{}, "", content))
	}
	return messages
}
