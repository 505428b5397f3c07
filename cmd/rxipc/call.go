package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
)

func (o *options) call() *cobra.Command {
	return &cobra.Command{
		Use:   "call NAME METHOD [JSON]",
		Short: "Call a method of a server of typed requests",
		Long: `Call a method of a server of typed requests with a request in JSON, and print its response. A request
of "-" is read from the standard input; without one it is {}. An error of the server is printed as its
problem details.`,
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
				ctx, cancel := o.limited(command.Context())
				defer cancel()
				method := rpc.NewMethod[json.RawMessage, json.RawMessage](args[1])
				response, err := method.Call(ctx, p, request)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(command.OutOrStdout(), string(response))
				return err
			})
		},
	}
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
	for i, m := range d.Methods {
		if o.json {
			if err := printJSON(out, m); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "%s %s\n", m.Kind, m.Name)
		if m.Doc != "" {
			fmt.Fprintf(out, "  %s\n", strings.ReplaceAll(m.Doc, "\n", "\n  "))
		}
		printSchema(out, "request", m.Request)
		printSchema(out, "response", m.Response)
	}
	return nil
}

func printSchema(out io.Writer, what string, schema json.RawMessage) {
	if len(schema) > 0 {
		fmt.Fprintf(out, "  %-8s %s\n", what, schema)
	}
}
