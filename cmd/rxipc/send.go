package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

func (o *options) send() *cobra.Command {
	var i input
	command := &cobra.Command{
		Use:   "send NAME [MESSAGE...]",
		Short: "Send messages, and wait until the server has handled them",
		Long: "Send messages, and wait until the server has acknowledged each, which means that it has handled it.\n" +
			"Many are in flight at the same time.\n\n" + inputHelp,
		Example: `  rxipc send logs "it works"
  tail -f app.log | rxipc send logs --lines --timeout 0
  rxipc send orders -f order.json`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: o.completeNames,
		RunE: func(command *cobra.Command, args []string) error {
			i.args = args[1:]
			return o.transfer(command, args[0], &i, func(p *socket.Process, messages stream.Observable[socket.Message]) error {
				progress := newProgress(command.ErrOrStderr(), "acknowledged")
				defer progress.end()
				sent := 0
				err := p.SendAll(messages).ForEach(command.Context(), func(socket.Message) {
					sent++
					progress.count()
				})
				if o.json {
					printJSON(command.OutOrStdout(), map[string]int{"acknowledged": sent})
				}
				return err
			})
		},
	}
	i.addFlags(command)
	return command
}

func (o *options) request() *cobra.Command {
	var i input
	command := &cobra.Command{
		Use:   "request NAME [MESSAGE...]",
		Short: "Send messages, and print the response to each",
		Long:  "Send messages, and print the response to each, in their order.\n\n" + inputHelp,
		Example: `  rxipc request echo hello
  rxipc request status -t 'application/json; method=status' '{}'`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: o.completeNames,
		RunE: func(command *cobra.Command, args []string) error {
			i.args = args[1:]
			return o.transfer(command, args[0], &i, func(p *socket.Process, messages stream.Observable[socket.Message]) error {
				responses := operators.MapErr(func(m socket.Message) (socket.Message, error) {
					return m, o.print(command.OutOrStdout(), m)
				})
				ask := operators.MapErr(func(m socket.Message) (socket.Message, error) { return o.ask(command.Context(), p, m) })
				if i.lines { // many; the time limit is for the first, since the input may be slow
					ask = func(messages stream.Observable[socket.Message]) stream.Observable[socket.Message] {
						return p.RequestAll(messages)
					}
				}
				return stream.Pipe2(messages, ask, responses).Run(command.Context())
			})
		},
	}
	i.addFlags(command)
	return command
}

// transfer calls move with a connection to the server, and the messages of the input.
func (o *options) transfer(command *cobra.Command, name string, i *input,
	move func(*socket.Process, stream.Observable[socket.Message]) error,
) error {
	messages, err := i.messages(command.InOrStdin())
	if err != nil {
		return err
	}
	return o.with(command.Context(), name, func(p *socket.Process) error { return move(p, messages) })
}

// progress counts on a terminal. It is silent elsewhere.
type progress struct {
	out  io.Writer
	what string
	n    int
	next time.Time
}

func newProgress(out io.Writer, what string) *progress {
	p := &progress{out: out, what: what, next: time.Now().Add(500 * time.Millisecond)}
	file, ok := out.(*os.File)
	if info, err := statOf(file, ok); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		p.out = nil
	}
	return p
}

func statOf(file *os.File, ok bool) (os.FileInfo, error) {
	if !ok {
		return nil, os.ErrInvalid
	}
	return file.Stat()
}

func (p *progress) count() {
	p.n++
	if now := time.Now(); p.out != nil && now.After(p.next) {
		fmt.Fprintf(p.out, "\r%d %s", p.n, p.what)
		p.next = now.Add(100 * time.Millisecond)
	}
}

func (p *progress) end() {
	if p.out != nil && p.n > 0 {
		fmt.Fprintf(p.out, "\r%d %s\n", p.n, p.what)
	}
}
