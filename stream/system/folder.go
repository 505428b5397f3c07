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

// Change is a change of an entry of a folder.
type Change struct {
	Name string      // in the folder
	Kind ChangeKind  // created, modified or removed
	Info fs.FileInfo // as it is now; of a removed one as it was
}

// ChangeKind is the kind of a [Change].
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
	// Existing also emits the entries that are there when the run begins, as Created.
	Existing bool

	// Poll is the time between two looks at the folder; zero or less is a second. On Linux
	// inotify also reports each change at once.
	Poll time.Duration

	// PollOnly does without inotify, which needs a descriptor and a goroutine. inotify
	// reports nothing on network file systems and in virtual time.
	PollOnly bool
}

// settling is the pause after a notice, since changes come in groups.
const settling = 10 * time.Millisecond

// Changes emits the changes of a folder's entries, but not those of its subfolders. Each
// look compares the folder with the look before. So no change is lost, but an entry that
// changed several times between two looks is emitted once, and an entry that came and went
// is not seen. The changes of one look are in the order of names. A file may be Created
// before its contents are complete; a writer avoids that by renaming the complete file into
// the folder.
//
// The run ends with its context. It fails if the folder cannot be read. When the folder has
// been removed, the run emits its entries as Removed first.
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
			told, err := w.wait(ctx)
			if err != nil {
				return err
			}
			if told {
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

// entries returns the entries of a folder, by name.
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

// compare emits the changes that turn before into now.
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
