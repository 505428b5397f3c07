package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rxipc/rxipc/socket"
)

// finding is what doctor prints: something that was looked at, and the remedy if it is wrong.
type finding struct {
	Level  string `json:"level"` // ok, note or wrong
	What   string `json:"what"`
	Remedy string `json:"remedy,omitempty"`
}

const (
	isOK   = "ok"
	isNote = "note"
	wrong  = "wrong"
)

func (o *options) doctor() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor [NAME]",
		Short: "Find out why two processes do not meet",
		Long: `Look at what keeps two processes from meeting: the folders of the sockets and who may change them, the
sockets and the processes behind them, users, and names that listen in another folder. With a NAME, look
at its server. Fails if something is wrong.`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: o.completeNames,
		RunE: func(command *cobra.Command, args []string) error {
			found, err := o.examine(command.Context(), args)
			if err != nil {
				return err
			}
			return o.printFindings(command.OutOrStdout(), found)
		},
	}
}

// folders are where processes of this user look by default: those of rxipc and of innmind/ipc.
func (o *options) folders() []string {
	all := []string{o.dir, socket.DefaultDir(), filepath.Join(os.TempDir(), "innmind", "ipc")}
	all = slices.DeleteFunc(all, func(dir string) bool { return dir == "" })
	slices.Sort(all[1:])
	return slices.Compact(all)
}

func (o *options) examine(ctx context.Context, args []string) (found []finding, err error) {
	chosen := o.folders()[0]
	found = append(found, finding{isOK, fmt.Sprintf("this process runs as user %s, process %d", userName(os.Geteuid()), os.Getpid()), ""})
	found = append(found, o.examineFolder(ctx, chosen)...)
	if len(args) == 0 {
		return found, nil
	}
	name, err := parseName(args[0])
	if err != nil {
		return nil, err
	}
	return append(found, o.examineName(ctx, name, chosen)...), nil
}

// examineFolder looks at a folder and its sockets.
func (o *options) examineFolder(ctx context.Context, dir string) (found []finding) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []finding{{isNote, "folder " + dir + " does not exist", "the first server makes it; check --dir if one should be running"}}
	case err != nil:
		return []finding{{wrong, fmt.Sprintf("folder %s cannot be looked at: %v", dir, err), "give this user the permission to search the folders above it"}}
	}
	found = append(found, finding{isOK, fmt.Sprintf("folder %s: %v", dir, info.Mode()), ""})
	in := *o
	in.dir = dir
	servers, err := in.servers(ctx, true)
	if err != nil {
		return append(found, finding{wrong, err.Error(), "let the folder belong to this user, with mode 0700"})
	}
	hidden := moved(dir)
	for _, s := range servers {
		if s.State == dead && slices.Contains(hidden, s.Name) {
			found = append(found, finding{wrong, s.Name + `: a "rxipc record" was killed, and no client reaches the server`, "run rxipc record --restore " + s.Name})
			continue
		}
		found = append(found, examined(s))
	}
	return found
}

// examined is the finding about one server.
func examined(s server) finding {
	what := fmt.Sprintf("%s: %s, process %s of user %s", s.Name, s.State, number(s.PID), dash(s.User))
	switch s.State {
	case dead:
		return finding{isNote, s.Name + ": its server has died and left the socket behind", "start the server; it takes the socket over"}
	case frozen:
		return finding{wrong, s.Name + ": it takes connections and says nothing", "continue its process (kill -CONT), look at its load, or see whether it is another program's socket"}
	case busy:
		return finding{wrong, s.Name + ": its queue of connections is full", "its handlers are too slow, or it does not accept; raise Unix.Backlog and net.core.somaxconn for short bursts"}
	case untrusted:
		return finding{wrong, s.Name + ": it runs as a user that this process does not trust", "use --user, or Config.Servers in a program"}
	case refuses:
		return finding{wrong, s.Name + ": it does not admit this process", "name this user in the server's Config.Clients, and let the socket's mode or group admit it"}
	}
	return finding{isOK, what, ""}
}

// examineName looks for the server of a name.
func (o *options) examineName(ctx context.Context, name socket.Name, chosen string) (found []finding) {
	ipc := o.ipc()
	looking, cancel := o.limited(ctx)
	defer cancel()
	p, err := ipc.Dial(looking, name).Get()
	if err == nil {
		p.Close(looking)
		return []finding{{isOK, fmt.Sprintf("%v answers", name), ""}}
	}
	found = append(found, finding{wrong, err.Error(), "start the server with the same folder and name"})
	for _, dir := range o.folders() {
		if dir == chosen {
			continue
		}
		elsewhere := *o
		elsewhere.dir = dir
		if s := elsewhere.look(ctx, name); s.State != dead {
			found = append(found, finding{wrong, fmt.Sprintf("%v listens in the folder %s", name, dir), "use --dir " + dir + ", or Config.Dir in a program"})
		}
	}
	return found
}

// errFound means that doctor has found something.
var errFound = errors.New("something is wrong")

func (o *options) printFindings(out io.Writer, found []finding) (err error) {
	for _, f := range found {
		if f.Level == wrong {
			err = errFound
		}
		if o.json {
			printJSON(out, f)
			continue
		}
		fmt.Fprintf(out, "%-5s  %s\n", f.Level, f.What)
		if f.Remedy != "" {
			fmt.Fprintf(out, "       %s\n", f.Remedy)
		}
	}
	return err
}
