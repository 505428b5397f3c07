package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/recording"
)

func (o *options) replay() *cobra.Command {
	var fast bool
	command := &cobra.Command{
		Use:   "replay FILE [NAME]",
		Short: "Play the clients of a recording to a server, and tell what it does differently",
		Long: `Play the clients of a recording (see "rxipc record") to a server, and print what the server does
differently: what it answered then, and now. Fails if there is a difference. Without a NAME the server
is the one that was recorded. Each frame is sent at its time, but not before the server has answered as
it did then; with --fast it does not wait for the time. An answer may be late by --timeout. Heartbeats
are ignored.`,
		Example: `  rxipc replay counter.jsonl
  rxipc replay fault.jsonl counter-next --fast`,
		Args: cobra.RangeArgs(1, 2),
		ValidArgsFunction: func(command *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return o.completeNames(command, nil, begun)
			}
			return []string{"jsonl"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(command *cobra.Command, args []string) error {
			r, err := recording.ReadFile(args[0])
			if errors.Is(err, io.ErrUnexpectedEOF) && len(r.Entries) > 0 {
				fmt.Fprintf(command.ErrOrStderr(), "rxipc: %v; what is before is played\n", err)
			} else if err != nil {
				return err
			}
			name := func(recorded string) string { return recorded }
			if len(args) == 2 {
				if _, err := parseName(args[1]); err != nil {
					return err
				}
				name = func(string) string { return args[1] }
			}
			return o.play(command, r, fast, name)
		},
	}
	command.Flags().BoolVar(&fast, "fast", false, "as fast as the server answers, instead of in real time")
	return command
}

// errDiffers means that a server did something else than the recorded one.
var errDiffers = errors.New("the server does not do as recorded")

func (o *options) play(command *cobra.Command, r recording.Recording, fast bool, name func(recorded string) string) error {
	player := recording.Player{Fast: fast, Patience: o.timeout}
	if o.timeout <= 0 {
		player.Patience = 365 * 24 * time.Hour
	}
	differences, err := r.PlayClients(command.Context(), player, func(ctx context.Context, recorded string) (net.Conn, error) {
		text := name(recorded)
		if text == "" {
			return nil, errors.New("the recording has no name of a server; give it one: rxipc replay FILE NAME")
		}
		parsed, err := socket.ParseName(text)
		if err != nil {
			return nil, err
		}
		ctx, cancel := o.limited(ctx)
		defer cancel()
		return o.dial(ctx, parsed)
	})
	for _, d := range differences {
		if failed := o.printDifference(command.OutOrStdout(), d); failed != nil {
			return failed
		}
	}
	if err != nil {
		return err
	}
	switch {
	case len(differences) > 0 && differences[0].Err != nil:
		return differences[0].Err // for the exit code
	case len(differences) > 0:
		return fmt.Errorf("%w: %d differences", errDiffers, len(differences))
	}
	if !o.json {
		fmt.Fprintf(command.OutOrStdout(), "%d connections played, no difference\n", len(r.Connections()))
	}
	return nil
}

// differenceObject is a difference as JSON.
type differenceObject struct {
	Connection int     `json:"connection"`
	Ms         float64 `json:"ms"`
	Recorded   string  `json:"recorded,omitempty"` // what the recorded server did
	Got        string  `json:"got,omitempty"`      // what this one did
	Error      string  `json:"error,omitempty"`
}

func (o *options) printDifference(out io.Writer, d recording.Difference) error {
	if !o.json {
		_, err := fmt.Fprintln(out, d)
		return err
	}
	object := differenceObject{Connection: d.Connection, Ms: float64(d.Time) / 1e6}
	if d.Recorded.Kind != "" {
		object.Recorded = d.Recorded.String()
	}
	if d.Got.Kind != "" {
		object.Got = d.Got.String()
	}
	if d.Err != nil {
		object.Error = d.Err.Error()
	}
	return printJSON(out, object)
}
