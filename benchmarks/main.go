// Command benchmarks measures rxipc beside others that do the same work, by turns,
// and writes tables in Markdown:
//
//	go run -C benchmarks .
//	go run -C benchmarks . [flags] [suite ...]
//
// Without suites named it measures all but growth. -write measures everything and
// writes RESULTS.md, with its plots in plots/. Sockets are measured on Linux, whose /proc
// tells what memory a process holds.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"

	"github.com/rxipc/rxipc/benchmarks/measure"
	"github.com/rxipc/rxipc/benchmarks/sockets"
	"github.com/rxipc/rxipc/benchmarks/streams"
)

const usage = `usage: go run -C benchmarks . [flags] [suite ...]

suites:
%s
flags:
`

func main() {
	sockets.ServeIfChild()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "benchmarks:", err)
		os.Exit(1)
	}
}

// suites are what there is to measure; each is made when it is.
var suites = []struct {
	name, about string
	usual       bool // measured when none is named
	make        func() measure.Suite
}{
	{"streams", "rxipc beside other ways to work on a stream of values", true, streams.Suite},
	{"sockets", "rxipc beside other ways for two processes to talk", true, sockets.Suite},
	{"growth", "rxipc with more connections, busy or idle, and with more operators", false, sockets.Growth},
}

func run() error {
	quick := flag.Bool("quick", false, "one short round: whether it works, not how fast")
	rounds := flag.Int("rounds", 9, "measure `N` rounds")
	jsonFile := flag.String("json", "", "write all samples to `file`, too")
	group := flag.String("group", "", "measure only groups whose title matches the `expression`")
	contender := flag.String("contender", "", "measure only contenders whose name matches the `expression`, and the baselines")
	write := flag.Bool("write", false, "measure all suites, into RESULTS.md and plots/ of this folder")
	flag.Usage = func() {
		list := ""
		for _, s := range suites {
			list += fmt.Sprintf("  %-8s %s\n", s.name, s.about)
		}
		fmt.Fprintf(flag.CommandLine.Output(), usage, list)
		flag.PrintDefaults()
	}
	flag.Parse()
	if *quick {
		*rounds = 1
	}
	if *rounds < 1 {
		return errors.New("-rounds: there must be one")
	}
	chosen, err := choose(flag.Args(), *write)
	if err != nil {
		return err
	}
	groups, err := regexp.Compile(*group)
	if err != nil {
		return fmt.Errorf("-group: %w", err)
	}
	contenders, err := regexp.Compile(*contender)
	if err != nil {
		return fmt.Errorf("-contender: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	options := measure.Options{Rounds: *rounds, Quick: *quick, Progress: os.Stderr}
	var reports []measure.Report
	for _, suite := range chosen {
		report, err := measure.Run(ctx, suite.Only(groups, contenders), options)
		if err != nil {
			return err
		}
		reports = append(reports, report)
	}
	return publish(measure.Here(*rounds), reports, *write, *jsonFile)
}

// choose makes the suites that are named: the usual ones when none is.
func choose(names []string, all bool) (chosen []measure.Suite, err error) {
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[name] = true
	}
	for _, s := range suites {
		if all || wanted[s.name] || len(names) == 0 && s.usual {
			chosen = append(chosen, s.make())
		}
		delete(wanted, s.name)
	}
	for name := range wanted {
		err = errors.Join(err, fmt.Errorf("there is no suite %q", name))
	}
	return chosen, err
}

// publish writes the tables to the standard output, or with their plots to files.
func publish(environment measure.Environment, reports []measure.Report, write bool, jsonFile string) error {
	if jsonFile != "" {
		err := toFile(jsonFile, func(w io.Writer) error { return measure.WriteJSON(w, environment, reports) })
		if err != nil {
			return err
		}
	}
	if !write {
		return document(os.Stdout, environment, reports, func(measure.Measured, measure.Metric) string { return "" })
	}
	if err := os.MkdirAll("plots", 0o755); err != nil {
		return err
	}
	for _, report := range reports {
		for _, group := range report.Groups {
			if err := plots(group); err != nil {
				return err
			}
		}
	}
	return toFile("RESULTS.md", func(w io.Writer) error { return document(w, environment, reports, plotFile) })
}

const howToRead = `A field reads "26.1 µs ×1.05 (1.03–1.08)": the median of the rounds, and beside it the
median of the ratios to the figure of the same round in the row, or the column, that has no
ratios, with the quartiles of those. Each round gives every contender its turn, in an order that moves on. Goals stand
below the figures that they are about.`

func document(w io.Writer, environment measure.Environment, reports []measure.Report, plot func(measure.Measured, measure.Metric) string) error {
	fmt.Fprintf(w, "# What it costs, beside others\n\n%s Made by `go run -C benchmarks .`\n\n%s\n\n", environment, howToRead)
	for _, report := range reports {
		if err := measure.WriteMarkdown(w, report, plot); err != nil {
			return err
		}
	}
	return nil
}

func plots(group measure.Measured) error {
	if group.Axis == "" {
		return nil
	}
	for _, metric := range group.Metrics {
		err := toFile(plotFile(group, metric), func(w io.Writer) error { return measure.WritePlot(w, group, metric) })
		if err != nil {
			return err
		}
	}
	return nil
}

// plotFile names the file of a plot.
func plotFile(group measure.Measured, metric measure.Metric) string {
	words := strings.FieldsFunc(strings.ToLower(group.Title+" "+metric.Name), func(r rune) bool {
		return (r < 'a' || 'z' < r) && (r < '0' || '9' < r)
	})
	return "plots/" + strings.Join(words, "-") + ".svg"
}

func toFile(name string, write func(io.Writer) error) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}
