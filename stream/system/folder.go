package system

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// Change is what happened to an entry of a folder.
type Change struct {
	Name string      // in the folder
	Kind ChangeKind  // what happened to it
	Info fs.FileInfo // as it is now; of a removed one as it was
}

// ChangeKind is what happened.
type ChangeKind int

const (
	Created  ChangeKind = iota // it was not there before
	Modified                   // its size, time, mode or identity is another
	Removed                    // it is not there any more
)

// String returns the name of the kind.
func (k ChangeKind) String() string {
	switch k {
	case Created:
		return "created"
	case Modified:
		return "modified"
	case Removed:
		return "removed"
	default:
		return fmt.Sprintf("ChangeKind(%d)", int(k))
	}
}

// ChangesOptions say how [Changes] looks at a folder.
type ChangesOptions struct {
	// Existing emits what is there when the run begins, too, as Created.
	Existing bool

	// Poll is how often the folder is looked at; zero or less is a second. On Linux the
	// system tells of changes besides, at once.
	Poll time.Duration

	// PollOnly asks the system for no notice of changes, which needs a descriptor and a
	// goroutine, and is of no use on network file systems and in virtual time.
	PollOnly bool
}

// settling is waited for after a notice: changes come in groups.
const settling = 10 * time.Millisecond

// Changes emits what changes among the entries of a folder, those of its subfolders not
// included. It compares what is there with what was there the last time it looked, so
// changes are never lost, and those between two looks are one: a file that came and went is
// not seen. What was found in one look is in the order of names. A file may be
// Created before all of it is written; who writes it under another name and renames it then avoids that.
//
// The run ends with its context. It fails if the folder cannot be read, and once it is
// removed, after its entries.
func Changes(folder string, options ChangesOptions) stream.Observable[Change] {
	if options.Poll <= 0 {
		options.Poll = time.Second
	}
	return func(ctx context.Context, yield func(Change) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		w := newWaiter(folder, "", options.Poll, options.PollOnly)
		defer w.stop()
		known, err := entries(folder)
		if err != nil {
			return err
		}
		if options.Existing {
			if wanted, err := compare(ctx, nil, known, yield); err != nil || !wanted {
				return err
			}
		}
		stream.Subscribed(ctx)
		for {
			if err := w.wait(ctx); err != nil {
				return err
			}
			if w.notifier != nil {
				if err := stream.Timer(min(settling, options.Poll)).Run(ctx); err != nil {
					return err
				}
			}
			now, failed := entries(folder)
			if failed != nil && !errors.Is(failed, fs.ErrNotExist) {
				return failed // the entries may still be there
			}
			if wanted, err := compare(ctx, known, now, yield); err != nil || !wanted {
				return err
			}
			if failed != nil {
				return failed
			}
			known = now
		}
	}
}

// entries are what is in a folder, by name.
func entries(folder string) (map[string]fs.FileInfo, error) {
	list, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	found := make(map[string]fs.FileInfo, len(list))
	for _, entry := range list {
		if info, err := entry.Info(); err == nil { // or it has gone meanwhile
			found[entry.Name()] = info
		}
	}
	return found, nil
}

// compare emits what makes now of before.
func compare(ctx context.Context, before, now map[string]fs.FileInfo, yield func(Change) bool) (wanted bool, err error) {
	var changed []Change
	for name, info := range now {
		if was, known := before[name]; !known {
			changed = append(changed, Change{name, Created, info})
		} else if !same(was, info) {
			changed = append(changed, Change{name, Modified, info})
		}
	}
	for name, was := range before {
		if _, known := now[name]; !known {
			changed = append(changed, Change{name, Removed, was})
		}
	}
	slices.SortFunc(changed, func(a, b Change) int { return cmp.Compare(a.Name, b.Name) })
	for _, c := range changed {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		if !yield(c) {
			return false, nil
		}
	}
	return true, nil
}

func same(a, b fs.FileInfo) bool {
	return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && a.Mode() == b.Mode() && os.SameFile(a, b)
}
