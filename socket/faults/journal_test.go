//go:build unix

package faults

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

// journal is a file of message numbers. Numbers written to it remain when its process is
// killed.
type journal struct{ file *os.File }

func journalPath(dir, role string, number uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%s-%d.journal", role, number))
}

func openJournal(dir, role string, number uint64) journal {
	file, err := os.OpenFile(journalPath(dir, role, number), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	return journal{file}
}

// add appends numbers in one write.
func (j journal) add(numbers ...uint64) {
	if len(numbers) == 0 {
		return
	}
	bytes := make([]byte, 0, 8*len(numbers))
	for _, n := range numbers {
		bytes = binary.LittleEndian.AppendUint64(bytes, n)
	}
	if _, err := j.file.Write(bytes); err != nil {
		panic(err)
	}
}

// readJournal returns the numbers in a journal, none if the file does not exist.
func readJournal(t *testing.T, dir, role string, number uint64) []uint64 {
	bytes, err := os.ReadFile(journalPath(dir, role, number))
	if err != nil && !os.IsNotExist(err) {
		t.Fatalf("read the journal of %s %d: %v", role, number, err)
	}
	numbers := make([]uint64, 0, len(bytes)/8)
	for ; len(bytes) >= 8; bytes = bytes[8:] { // a killed process may have written a part of the last number
		numbers = append(numbers, binary.LittleEndian.Uint64(bytes))
	}
	return numbers
}

// duplicates returns the numbers that sorted contains more than once.
func duplicates(sorted []uint64) (found []uint64) {
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			found = append(found, sorted[i])
		}
	}
	return found
}

// missing returns the numbers that sorted does not contain.
func missing(numbers, sorted []uint64) (found []uint64) {
	for _, n := range numbers {
		if _, there := slices.BinarySearch(sorted, n); !there {
			found = append(found, n)
		}
	}
	return found
}

// tally is the number and a checksum of a set of messages.
type tally struct {
	Count int
	Sum   uint64 // sum of the hashed numbers
}

// with returns the tally with one more number.
func (t tally) with(n uint64) tally {
	n ^= n >> 31
	n *= 0x9e3779b97f4a7c15
	n ^= n >> 29
	return tally{t.Count + 1, t.Sum + n*n}
}

func tallyOf(numbers []uint64) (t tally) {
	for _, n := range numbers {
		t = t.with(n)
	}
	return t
}

var tallies = fold.New(
	func() tally { return tally{} },
	func(a, b tally) tally { return tally{a.Count + b.Count, a.Sum + b.Sum} },
)

func TestJournalsShowLostAndDoubledMessages(t *testing.T) {
	dir := t.TempDir()
	server, client := openJournal(dir, "server", 0), openJournal(dir, "client", 0)
	server.add(1, 2, 2, 4)
	client.add(1, 3)
	handled := readJournal(t, dir, "server", 0)
	if got := duplicates(handled); !slices.Equal(got, []uint64{2}) {
		t.Errorf("duplicates of %v: got %v, want [2]", handled, got)
	}
	if got := missing(readJournal(t, dir, "client", 0), handled); !slices.Equal(got, []uint64{3}) {
		t.Errorf("missing in %v of 1 and 3: got %v, want [3]", handled, got)
	}
	if tallyOf(handled) == tallyOf([]uint64{1, 2, 3, 4}) || tallyOf([]uint64{1, 2}) != tallyOf([]uint64{2, 1}) {
		t.Error("tallies of different sets: got equal ones, or different ones for another order")
	}
}
