package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/rxipc/rxipc/inspect"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

func (o *options) top() *cobra.Command {
	var once bool
	var every time.Duration
	command := &cobra.Command{
		Use:   "top NAME",
		Short: "Show the running pipelines and connections of a program in the terminal",
		Long: `Show the running pipelines and connections of a program in the terminal, until it is interrupted. The server
of the program must have the methods of package inspect (Inspector.Methods). If the output is no terminal, or
with --json, each snapshot is printed below the last one.`,
		Example: `  rxipc top shop
  rxipc top shop --once --json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeNames,
		RunE: func(command *cobra.Command, args []string) error {
			return o.withInspected(command.Context(), args[0], func(pool *socket.Pool) error {
				shown := inspect.Watch.Observe(pool, inspect.Query{Every: every.Seconds()})
				if once { // rates need two snapshots
					shown = stream.Pipe2(shown, operators.Skip[inspect.Snapshot](1), operators.Take[inspect.Snapshot](1))
				}
				return o.showTop(command.Context(), command.OutOrStdout(), shown)
			})
		},
	}
	command.Flags().BoolVar(&once, "once", false, "print one snapshot, and end")
	command.Flags().DurationVar(&every, "every", time.Second, "time between two snapshots, at least 0.1s")
	return command
}

// showTop prints each snapshot: in a terminal over the last one, on the terminal's other screen.
func (o *options) showTop(ctx context.Context, out io.Writer, snapshots stream.Observable[inspect.Snapshot]) error {
	terminal, _ := out.(*os.File)
	if terminal == nil || o.json || !term.IsTerminal(int(terminal.Fd())) {
		return snapshots.ForEach(ctx, func(s inspect.Snapshot) {
			if o.json {
				_ = printJSON(out, s)
				return
			}
			fmt.Fprintln(out, strings.Join(topLines(s, 80, -1), "\n"))
		})
	}
	fmt.Fprint(out, "\x1b[?1049h\x1b[?25l")       // the other screen, without a cursor
	defer fmt.Fprint(out, "\x1b[?25h\x1b[?1049l") // as it was
	return snapshots.ForEach(ctx, func(s inspect.Snapshot) {
		width, height, err := term.GetSize(int(terminal.Fd()))
		if err != nil || width < 20 || height < 3 {
			width, height = 80, 24
		}
		lines := topLines(s, width, height)
		fmt.Fprint(out, "\x1b[H"+strings.Join(lines, "\x1b[K\r\n")+"\x1b[K\x1b[J")
	})
}

// topLines returns a snapshot as lines of a terminal of this size. A negative height has no limit.
func topLines(s inspect.Snapshot, width, height int) (lines []string) {
	add := func(format string, values ...any) { lines = append(lines, cut(fmt.Sprintf(format, values...), width)) }
	t := s.Totals
	add("%s  process %d  %d goroutines  %.1f MiB heap", s.Program, s.PID, s.Goroutines, float64(s.Heap)/(1<<20))
	add("%d connections  %d held  %d in flight  %d unread", t.Connections, t.Held, t.InFlight, t.Unread)
	for _, v := range s.Verdicts {
		lines = append(lines, wrap(headlines[v.Severity]+" "+printable(v.Why), width)...)
	}
	add("")
	name := max(12, width-55)
	add("%-*s %8s %9s %7s %7s %4s %s", name, "STAGE", "VALUES/S", "VALUES", "P50", "P99", "BUSY", "STATE")
	for _, stage := range s.Stages {
		add("%s", stageLine(stage, name))
	}
	if more := s.StagesFound - len(s.Stages); more > 0 {
		add("… and %d more stages", more)
	}
	if len(s.Connections) > 0 {
		add("")
		add("%-*s %-7s %9s %9s %6s %5s %7s", name, "CONNECTION", "SIDE", "MESSAGES", "IN FLIGHT", "UNREAD", "HELD", "SILENT")
	}
	for _, c := range s.Connections {
		who := strings.TrimSuffix(c.Name+" "+c.Peer, " ")
		add("%s %-7s %9s %9d %6d %5d %7s", padded(who, name), c.Side, short(float64(c.Messages)), c.InFlight, c.Unread, c.Held, duration(c.Silent))
	}
	for _, m := range s.Members {
		fields := make([]string, 0, len(m.Fields))
		for _, f := range m.Fields {
			fields = append(fields, fmt.Sprintf("%d %s", f.Value, printable(f.Name)))
		}
		add("%s %s: %s", printable(m.Kind), printable(m.Name), strings.Join(fields, ", "))
	}
	if height > 0 && len(lines) > height {
		lines = append(lines[:height-1], cut("…", width))
	}
	return lines
}

var headlines = map[inspect.Severity]string{inspect.Calm: "Fine:", inspect.Slow: "SLOW:", inspect.Dead: "STUCK:"}

// stageLine is a stage in a line, indented as its lane, and marked if it holds up others.
func stageLine(s inspect.Stage, name int) string {
	sign := map[bool]string{false: "  ", true: "> "}[s.Holds]
	label := sign + strings.Repeat("  ", s.Rail.Lane) + s.Name
	if s.Kind == "buffer" {
		return fmt.Sprintf("%s %8s %9s %7s %7s %4s %s", padded(label, name), "", "", "", "", "", fmt.Sprintf("%d/%d %s", s.Waiting, s.Capacity, s.State))
	}
	state := string(s.State)
	if s.Seconds > 0 {
		state += " " + duration(s.Seconds)
	}
	if s.Failed > 0 {
		state += fmt.Sprintf(", %d failed", s.Failed)
	}
	return fmt.Sprintf("%s %8s %9s %7s %7s %3.0f%% %s", padded(label, name), short(s.Rate), short(float64(s.Values)), duration(s.P50), duration(s.P99), 100*s.Busy, state)
}

// printable replaces what a terminal might obey.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, text)
}

// padded is a text in exactly so many columns.
func padded(text string, columns int) string {
	text = cut(printable(text), columns)
	return text + strings.Repeat(" ", max(0, columns-len([]rune(text))))
}

// cut returns a text without what a terminal might obey, at most so many characters of it.
func cut(text string, width int) string {
	runes := []rune(printable(text))
	if len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return string(runes)
}

// wrap breaks a text into lines, between its words.
func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case len([]rune(line+" "+word)) > width:
			lines, line = append(lines, cut(line, width)), "  "+word
		default:
			line += " " + word
		}
	}
	return append(lines, cut(line, width))
}

// short prints a number in at most six characters.
func short(n float64) string {
	switch {
	case n == 0:
		return "0"
	case n < 10:
		return fmt.Sprintf("%.1f", n)
	case n < 1e5:
		return fmt.Sprintf("%.0f", n)
	case n < 1e7:
		return fmt.Sprintf("%.0fk", n/1e3)
	case n < 1e10:
		return fmt.Sprintf("%.0fM", n/1e6)
	}
	return fmt.Sprintf("%.3g", n)
}

// duration prints seconds in at most six characters.
func duration(seconds float64) string {
	switch {
	case seconds == 0:
		return "-"
	case seconds < 1e-6:
		return "<1µs"
	case seconds < 1e-3:
		return fmt.Sprintf("%.0fµs", seconds*1e6)
	case seconds < 1:
		return fmt.Sprintf("%.0fms", seconds*1e3)
	case seconds < 100:
		return fmt.Sprintf("%.1fs", seconds)
	case seconds < 6000:
		return fmt.Sprintf("%.0fmin", seconds/60)
	}
	return fmt.Sprintf("%.0fh", seconds/3600)
}
