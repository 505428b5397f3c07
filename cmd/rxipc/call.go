package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
	"github.com/rxipc/rxipc/stream"
)

func (o *options) call() *cobra.Command {
	return &cobra.Command{
		Use:   "call NAME METHOD [JSON]",
		Short: "Call a method of a server of typed requests",
		Long: `Call a method of a server of typed requests with a request in JSON, and print its response. The answers
of a stream are printed a line each, without a time limit; a notification has none. A request of "-" is
read from the standard input; without one it is {}.`,
		Example: `  rxipc describe daemon
  rxipc call daemon status
  rxipc call daemon add '{"a": 19, "b": 23}'`,
		Args:              cobra.RangeArgs(2, 3),
		ValidArgsFunction: o.completeNames,
		RunE: func(command *cobra.Command, args []string) error {
			request, err := requestOf(args[2:], command.InOrStdin())
			if err != nil {
				return err
			}
			return o.with(command.Context(), args[0], func(p *socket.Process) error {
				return o.callMethod(command, p, args[1], request)
			})
		},
	}
}

// callMethod calls a method of whatever kind the server says it is.
func (o *options) callMethod(command *cobra.Command, p *socket.Process, name string, request json.RawMessage) error {
	ctx, cancel := o.limited(command.Context())
	defer cancel()
	kind, err := kindOf(ctx, p, name)
	if err != nil {
		return err
	}
	show := func(response json.RawMessage) error {
		_, err := fmt.Fprintf(command.OutOrStdout(), "%s\n", response)
		return err
	}
	switch kind {
	case rpc.KindStream:
		answers := rpc.NewStream[json.RawMessage, json.RawMessage](name).Observe(p, request)
		return stream.Pipe1(answers, operators.MapErr(func(answer json.RawMessage) (struct{}, error) {
			return struct{}{}, show(answer)
		})).Run(command.Context())
	case rpc.KindNotice:
		return rpc.NewNotice[json.RawMessage](name).Send(ctx, p, request)
	}
	response, err := rpc.NewMethod[json.RawMessage, json.RawMessage](name).Call(ctx, p, request)
	if err != nil {
		return err
	}
	return show(response)
}

// kindOf asks the server for the kind of a method. A server that does not describe itself, or not
// this method, is called, so that the error is its own.
func kindOf(ctx context.Context, p *socket.Process, name string) (rpc.Kind, error) {
	description, err := rpc.Describe.Call(ctx, p, struct{}{})
	if err != nil && !errors.Is(err, rpc.ErrUnknownMethod) {
		return "", err
	}
	for _, m := range description.Methods {
		if m.Name == name {
			return m.Kind, nil
		}
	}
	return rpc.KindCall, nil
}

// requestOf returns the request of a call.
func requestOf(args []string, in io.Reader) (json.RawMessage, error) {
	request := []byte("{}")
	switch {
	case len(args) > 0 && args[0] == "-":
		content, err := io.ReadAll(in)
		if err != nil {
			return nil, fmt.Errorf("read the standard input: %w", err)
		}
		request = content
	case len(args) > 0:
		request = []byte(args[0])
	}
	if !json.Valid(request) {
		return nil, fmt.Errorf("%w: the request is not valid JSON: %.100s", errUsage, request)
	}
	return request, nil
}

func (o *options) describe() *cobra.Command {
	return &cobra.Command{
		Use:               "describe NAME",
		Short:             "List the methods of a server of typed requests, with the schemas of their types",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeNames,
		RunE: func(command *cobra.Command, args []string) error {
			return o.with(command.Context(), args[0], func(p *socket.Process) error {
				ctx, cancel := o.limited(command.Context())
				defer cancel()
				description, err := rpc.Describe.Call(ctx, p, struct{}{})
				if err != nil {
					return err
				}
				return o.printDescription(command.OutOrStdout(), description)
			})
		},
	}
}

func (o *options) printDescription(out io.Writer, d rpc.Description) error {
	for _, m := range d.Methods {
		if o.json {
			if err := printJSON(out, m); err != nil {
				return err
			}
		} else if m.Name != "rpc.describe" { // rpc.Describe, which every server has
			printMethod(out, m)
		}
	}
	return nil
}

func printMethod(out io.Writer, m rpc.MethodDescription) {
	fmt.Fprintf(out, "%s %s\n", m.Kind, m.Name)
	if m.Doc != "" {
		fmt.Fprintf(out, "  %s\n", strings.ReplaceAll(m.Doc, "\n", "\n  "))
	}
	printSchema(out, "request", m.Request)
	printSchema(out, "response", m.Response)
}

// dialect is how each schema begins. It says nothing to a reader.
const dialect = `"$schema":"https://json-schema.org/draft/2020-12/schema",`

func printSchema(out io.Writer, what string, schema json.RawMessage) {
	if len(schema) > 0 {
		fmt.Fprintf(out, "  %-8s %s\n", what, strings.Replace(string(schema), dialect, "", 1))
	}
}
