// Command benchmarks compares rxipc with others that do the same work, in turns, and writes tables
// in Markdown:
//
//	go run -C benchmarks .
//	go run -C benchmarks . [flags] [suite ...]
//
// Without arguments it measures all suites except growth. -write measures all suites and writes
// RESULTS.md, with its plots in plots/. The sockets suite needs Linux, because it reads the memory of a
// process from /proc.
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

// suites lists all suites. choose returns the suites to be measured.
var suites = []struct {
	name, about string
	usual       bool // measured without arguments
	make        func() measure.Suite
}{
	{"streams", "rxipc compared with other ways to process a stream of values", true, streams.Suite},
	{"sockets", "rxipc compared with other ways for two processes to exchange messages", true, sockets.Suite},
	{"growth", "rxipc with more connections, busy or idle, more operators, longer messages, and as bytes pass", false, sockets.Growth},
}

func run() error {
	quick := flag.Bool("quick", false, "one short round, to check that everything works")
	rounds := flag.Int("rounds", 9, "measure `N` rounds")
	jsonFile := flag.String("json", "", "also write all samples to `file`")
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
		return errors.New("-rounds: the number must be at least 1")
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

// choose makes the named suites, or the usual ones if there are no names.
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
		err = errors.Join(err, fmt.Errorf("choose suites: unknown suite %q", name))
	}
	return chosen, err
}

// publish writes the tables to the standard output, or the tables and plots to files.
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

const howToRead = `A field reads "26.1 µs ×1.05 (1.03–1.08)": the median of the rounds, the median of the ratios to
a reference in the same round, and the quartiles of these ratios. The reference is the row or
column without ratios. Each round runs every contender once; the order changes from round to
round. Goals are below the figures that they apply to.`

func document(w io.Writer, environment measure.Environment, reports []measure.Report, plot func(measure.Measured, measure.Metric) string) error {
	fmt.Fprintf(w, "# Performance compared with others\n\n%s Made by `go run -C benchmarks .`\n\n%s\n\n", environment, howToRead)
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

// plotFile returns the name of the file of a plot.
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
