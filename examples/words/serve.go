package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// serve counts the words of all messages, until it has counted until words, or stop is done. A message is acknowledged when its words have been counted.
func serve(stop context.Context, name socket.Name, config socket.Config, until int) error {
	config.Listening = func(name socket.Name) { fmt.Println("listening on", name) }

	running := stream.Pipe5(
		socket.Exchanges(socket.New(config).Listen(name)),
		operators.TakeUntilDone[socket.Exchange](stop),
		operators.Map(func(x socket.Exchange) counts { return countWords(x.Content()) }),
		operators.Scan(fold.ByKey[string](fold.Sum[int]())),
		operators.Tap(printProgress),
		operators.TakeWhile(func(c counts) bool { return until == 0 || total(c) < until }, operators.Inclusive),
	)
	var last counts
	ctx := context.WithoutCancel(stop) // stop ends only the source; ctx still ends with a second signal
	err := running.ForEach(ctx, func(c counts) { last = c })
	if err != nil {
		return err
	}
	printTable(last)
	return context.Cause(stop) // nil without a signal
}

// counts maps words to the number of their occurrences.
type counts = map[string]int

func countWords(line string) counts {
	words := counts{}
	for word := range strings.FieldsFuncSeq(strings.ToLower(line), isNoLetter) {
		words[word]++
	}
	return words
}

func isNoLetter(r rune) bool { return !unicode.IsLetter(r) }

func total(c counts) int {
	return fold.Seq(fold.Sum[int](), maps.Values(c))
}

func printProgress(c counts) {
	fmt.Printf("%d words, %d different\n", total(c), len(c))
}

func printTable(c counts) {
	for _, word := range slices.Sorted(maps.Keys(c)) {
		fmt.Printf("%4d  %s\n", c[word], word)
	}
}
