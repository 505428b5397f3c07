//go:build unix

package system_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/system"
	"github.com/rxipc/rxipc/stream/text"
)

// inTemp calls f with a folder for its time.
func inTemp(f func(folder string)) {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	f(folder)
}

// The position after a line is where another run goes on, also when the file has been
// renamed meanwhile.
func ExampleFollow() {
	inTemp(func(folder string) {
		path := filepath.Join(folder, "app.log")
		os.WriteFile(path, []byte("a\nb\nc\n"), 0o600)

		line, err := system.Follow(path, system.FollowOptions{}).First(context.Background()).Get()
		fmt.Println(line.Text, err)

		os.Rename(path, path+".1")
		os.WriteFile(path, []byte("d\n"), 0o600)
		rest := operators.Take[system.Line](3)(system.Follow(path, system.FollowOptions{From: line.Next}))
		err = rest.ForEach(context.Background(), func(line system.Line) { fmt.Println(line.Text) })
		fmt.Println(err)
	})
	// Output:
	// a <nil>
	// b
	// c
	// d
	// <nil>
}

func ExampleChanges() {
	inTemp(func(folder string) {
		os.WriteFile(filepath.Join(folder, "a"), nil, 0o600)
		changes := system.Changes(folder, system.ChangesOptions{Existing: true, Poll: time.Millisecond})
		err := operators.Take[system.Change](2)(changes).ForEach(context.Background(), func(c system.Change) {
			fmt.Println(c.Name, c.Kind)
			os.Remove(filepath.Join(folder, c.Name))
		})
		fmt.Println(err)
	})
	// Output:
	// a created
	// a removed
	// <nil>
}

func ExampleCommand() {
	words := system.Command(func() *exec.Cmd { return exec.Command("sh", "-c", "echo to be; echo or not >&2; exit 3") })
	err := words.ForEach(context.Background(), func(line string) { fmt.Println(line) })
	var failed *system.CommandError
	if errors.As(err, &failed) {
		fmt.Printf("%v: %s", failed.Err, failed.LastWords)
	}
	// Output:
	// to be
	// exit status 3: or not
}

func ExampleSignals() {
	ctx := stream.OnSubscribed(context.Background(), func() { syscall.Kill(os.Getpid(), syscall.SIGUSR1) })
	fmt.Println(system.Signals(syscall.SIGUSR1).First(ctx).Get())
	// Output: user defined signal 1 <nil>
}

func ExampleClock() {
	ticks := operators.Take[time.Time](2)(system.Clock(system.Every(time.Millisecond)))
	err := ticks.ForEach(context.Background(), func(due time.Time) { fmt.Println(due.Nanosecond() % 1e6) })
	fmt.Println(err)
	// Output:
	// 0
	// 0
	// <nil>
}

func ExampleEvery() {
	quarter := system.Every(15 * time.Minute)
	fmt.Println(quarter(time.Date(2026, 3, 28, 10, 7, 30, 0, time.UTC)))
	fmt.Println(quarter(time.Date(2026, 3, 28, 10, 15, 0, 0, time.UTC)))
	// Output:
	// 2026-03-28 10:15:00 +0000 UTC
	// 2026-03-28 10:30:00 +0000 UTC
}

func ExampleDaily() {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	daily := system.Daily(2, 30, berlin)
	next := time.Date(2026, 3, 28, 0, 0, 0, 0, berlin)
	for range 3 {
		next = daily(next)
		fmt.Println(next)
	}
	// Output:
	// 2026-03-28 02:30:00 +0100 CET
	// 2026-03-29 03:00:00 +0200 CEST
	// 2026-03-30 02:30:00 +0200 CEST
}

func ExampleAppend() {
	inTemp(func(folder string) {
		path := filepath.Join(folder, "numbers.jsonl")
		write := system.Append(path, system.Rotation{MaxSize: 4, Sync: -1}, text.WriteJSON[int])
		fmt.Println(write(stream.Just(1, 2, 3)).Collect(context.Background()))
		old, _ := os.ReadFile(path + ".1")
		current, _ := os.ReadFile(path)
		fmt.Printf("%q %q\n", old, current)
	})
	// Output:
	// [1 2 3] <nil>
	// "1\n2\n" "3\n"
}

func ExampleOpenRotating() {
	inTemp(func(folder string) {
		path := filepath.Join(folder, "app.log")
		file, err := system.OpenRotating(path, system.Rotation{MaxSize: 10, Keep: 2})
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, line := range []string{"one\n", "two\n", "three\n", "four\n"} {
			file.Write([]byte(line))
		}
		fmt.Println(file.Close())
		for _, name := range []string{"app.log.2", "app.log.1", "app.log"} {
			contents, _ := os.ReadFile(filepath.Join(folder, name))
			fmt.Printf("%s %q\n", name, contents)
		}
	})
	// Output:
	// <nil>
	// app.log.2 "one\ntwo\n"
	// app.log.1 "three\n"
	// app.log "four\n"
}
