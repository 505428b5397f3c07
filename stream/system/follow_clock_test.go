//go:build unix

package system_test

import (
	"os"
	"testing"

	"github.com/rxipc/rxipc/stream/system"
)

// A wall clock that is set shows in the modification times of files. The tests set these.

func TestFollowRepeatsNothingWhenTheClockIsSetBack(t *testing.T) {
	followed(t, func(t *testing.T, path string) {
		appendTo(t, path+".1", "before the run\n")
		age(t, path+".1", 2)
		appendTo(t, path, "a\n")
		age(t, path, 1)
		r := startTail(t, path, system.FollowOptions{})
		r.expect("a")
		rename(t, path+".1", path+".2")
		rename(t, path, path+".1")
		appendTo(t, path, "b\n")
		age(t, path, 24) // set back
		r.expect("b")
		rename(t, path+".2", path+".3")
		rename(t, path+".1", path+".2")
		rename(t, path, path+".1")
		r.expect() // all rotated files but the last seem to be newer than that
		appendTo(t, path, "c\n")
		age(t, path, 23)
		r.expect("c")
		r.end()
	})
}

func TestFollowKeepsTheOrderOfRotationsWhenTheClockIsSetBack(t *testing.T) {
	tailed(t, system.FollowOptions{}, "a\n", func(t *testing.T, path string, r *tail) {
		age(t, path, 2)
		r.expect("a")
		rename(t, path, path+".2")
		appendTo(t, path+".1", "b\n")
		age(t, path+".1", 1)
		appendTo(t, path, "c\n")
		age(t, path, 24) // set back between the two
		r.expect("b", "c")
	})
}

// A system gives the numbers of a removed file to a new one. A link stands for that here.
func TestFollowReadsANewFileWithTheNumbersOfAnOldOne(t *testing.T) {
	tailed(t, system.FollowOptions{}, "a\n", func(t *testing.T, path string, r *tail) {
		r.expect("a")
		must(t, "link "+path, os.Link(path, path+"-old"))
		rename(t, path, path+".1")
		appendTo(t, path, "b\n")
		r.expect("b")
		must(t, "remove "+path+".1", os.Remove(path+".1"))
		rename(t, path, path+".1")
		must(t, "truncate "+path+"-old", os.Truncate(path+"-old", 0))
		appendTo(t, path+"-old", "c\n")
		rename(t, path+"-old", path)
		r.expect("c")
	})
}
