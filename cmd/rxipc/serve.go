package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

func (o *options) serve() *cobra.Command {
	var answer, mediaType string
	var parallel int
	var each, push bool
	command := &cobra.Command{
		Use:   "serve NAME [-- COMMAND [ARGUMENT...]]",
		Short: "Listen on a name: echo, a fixed answer, or a program run for each message",
		Long: `Listen on a name until a signal comes. The answer to each message is the message itself, a fixed one,
or the output of a program, which gets the message's content as its input, the media type in
RXIPC_MEDIA_TYPE and the client's process in RXIPC_PEER_PID. A program that fails rejects the
message, with the last line of its error output as the reason.

With --each-connection the program runs once for each connection, until that ends. Each message is a line
of its input, and the next line that it prints is the answer; other lines are pushed to the client. With
--push no message has an answer: it is acknowledged when the program has it, and all that the program
prints is pushed. With --json the lines are objects, as "rxipc request --json" prints them.`,
		Example: `  rxipc serve echo
  rxipc serve clock -- date
  rxipc serve count -- wc -w
  rxipc serve calculator --each-connection -- bc -l
  rxipc serve log --each-connection --push -- tail -f app.log`,
		Args: func(command *cobra.Command, args []string) error {
			if dash := command.ArgsLenAtDash(); dash >= 0 {
				args = args[:dash]
			}
			return cobra.ExactArgs(1)(command, args)
		},
		RunE: func(command *cobra.Command, args []string) error {
			name, err := parseName(args[0])
			if err != nil {
				return err
			}
			if each || push {
				return o.serveEach(command, name, push, mediaType, args[1:])
			}
			handler, err := handlerFor(command, answer, mediaType, args[1:])
			if err != nil {
				return err
			}
			return o.serveAll(command.Context(), command.ErrOrStderr(), name, parallel, handler)
		},
	}
	command.Flags().StringVar(&answer, "answer", "", "answer each message with this content")
	command.Flags().StringVarP(&mediaType, "type", "t", "", "media type of the answers (default: guessed)")
	command.Flags().BoolVar(&each, "each-connection", false, "run the program once for each connection, with a line for each message")
	command.Flags().BoolVar(&push, "push", false, "with --each-connection: push what the program prints, and answer no message")
	command.Flags().IntVar(&parallel, "parallel", 4, "number of messages of different clients that are handled at the same time")
	return command
}

// handler answers a message.
type handler func(context.Context, *socket.Connection, socket.Message) (socket.Message, error)

func handlerFor(command *cobra.Command, answer, mediaType string, program []string) (handler, error) {
	fixed, err := (&input{mediaType: mediaType}).parse()
	if err != nil {
		return nil, err
	}
	fixedAnswer := command.Flags().Changed("answer")
	switch {
	case fixedAnswer && len(program) > 0:
		return nil, fmt.Errorf("%w: there is a program, and --answer, too", errUsage)
	case fixedAnswer:
		return func(context.Context, *socket.Connection, socket.Message) (socket.Message, error) {
			return message(fixed, "", answer), nil
		}, nil
	case len(program) > 0:
		if _, err := exec.LookPath(program[0]); err != nil {
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		return func(ctx context.Context, c *socket.Connection, m socket.Message) (socket.Message, error) {
			return output(ctx, c, m, fixed, program)
		}, nil
	}
	return func(_ context.Context, _ *socket.Connection, m socket.Message) (socket.Message, error) { return m, nil }, nil
}

// output returns what a program prints for a message.
func output(ctx context.Context, c *socket.Connection, m socket.Message, fixed socket.MediaType, program []string) (socket.Message, error) {
	cmd := exec.CommandContext(ctx, program[0], program[1:]...)
	cmd.WaitDelay = time.Second
	cmd.Stdin = m.Reader()
	cmd.Env = append(os.Environ(), "RXIPC_MEDIA_TYPE="+m.MediaType().String())
	if peer, known := c.Peer().Get(); known {
		cmd.Env = append(cmd.Env, fmt.Sprintf("RXIPC_PEER_PID=%d", peer.PID))
	}
	printed, err := cmd.Output()
	var exited *exec.ExitError
	switch {
	case errors.As(err, &exited):
		return socket.Message{}, fmt.Errorf("%s: %w%s", program[0], err, lastLine(string(exited.Stderr)))
	case err != nil:
		return socket.Message{}, fmt.Errorf("%s: %w", program[0], err)
	}
	return message(fixed, "", string(printed)), nil
}

// lastLine returns the last line of an error output, behind a colon.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return ": " + last
	}
	return ""
}

// serveAll serves until the context ends. Each connection has its messages handled in order, and
// at most parallel of all are handled at the same time.
func (o *options) serveAll(ctx context.Context, errs io.Writer, name socket.Name, parallel int, handle handler) error {
	slots := make(chan struct{}, max(parallel, 1))
	served := socket.Serve(o.ipc(), name, fold.Unit()).With(ctx,
		func(m socket.Message, c socket.Continuation[struct{}], _ struct{}) socket.Continuation[struct{}] {
			select {
			case slots <- struct{}{}:
			case <-c.Context().Done():
				return c.Reject(context.Cause(c.Context()))
			}
			defer func() { <-slots }()
			answer, err := handle(c.Context(), c.Connection(), m)
			if err != nil {
				fmt.Fprintln(errs, "rxipc: message rejected:", err)
				return c.Reject(err)
			}
			return c.Respond(answer)
		})
	return served.Err()
}
