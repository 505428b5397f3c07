//go:build unix

package unixsock

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// registered returns a registry with a listener on counter.
func registered(t *testing.T) (*Registry, Options) {
	t.Helper()
	o, r := Options{Dir: shortDir(t)}, new(Registry)
	r.Add(counter, mustListen(t, o, counter))
	return r, o
}

func TestHandOverTellsHowTheSuccessorEnded(t *testing.T) {
	r, o := registered(t)
	for name, test := range map[string]struct {
		script string
		code   int // of the ExitError; 0: there is none
		want   []string
	}{
		"a code":        {"exit 78", 78, []string{"exit status 78"}},
		"last words":    {"echo loading; echo 'no such table: people' >&2; exit 3", 3, []string{"exit status 3", "it said: no such table: people"}},
		"several lines": {"printf 'one\\n\\ntwo\\n' >&2; exit 3", 3, []string{"it said: one / two"}},
		"a signal":      {"kill -SEGV $$", -1, []string{"segmentation fault"}},
		"no failure":    {"exit 0", 0, []string{"exit status 0"}},
		"many words": {"i=0; echo first >&2; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done; exit 9", 9,
			[]string{"first / line 0 / ", " / … / ", "line 1999"}},
		"a child that stays": {"echo gone >&2; (exec 3>&- 4>&- 5>&- 6>&- 7>&-; exec sleep 600) & exit 4", 4,
			[]string{"exit status 4", "it said: gone"}},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("/bin/sh", "-c", test.script)
			cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
			err := r.HandOver(within(t), cmd, slog.New(slog.DiscardHandler))
			if cmd.Process != nil {
				defer unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
			}
			exit, failed := errors.AsType[*exec.ExitError](err)
			if !errors.Is(err, ErrSuccessor) || failed != (test.code != 0) || failed && exit.ExitCode() != test.code {
				t.Fatalf("HandOver to %q: %v, exit error %v; want ErrSuccessor with code %d", test.script, err, exit, test.code)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) || len(err.Error()) > 4000 {
					t.Errorf("HandOver to %q: %v; want it to say %q", test.script, err, want)
				}
			}
		})
	}
	mustConnect(t, o)
}

// writerFunc calls a function with what is written.
type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

func TestHandOverTellsWhatAnUnreadySuccessorSaid(t *testing.T) {
	r, o := registered(t)
	ctx, cancel := context.WithCancelCause(within(t))
	late := errors.New("took too long")
	var said bytes.Buffer
	cmd := exec.Command("/bin/sh", "-c", "echo waiting for the database >&2; read line")
	stays, err := cmd.StdinPipe()
	if err != nil {
		t.Fatalf("pipe to the successor: %v", err)
	}
	defer stays.Close()
	cmd.Stderr = writerFunc(func(p []byte) { said.Write(p); cancel(late) })
	err = r.HandOver(ctx, cmd, slog.New(slog.DiscardHandler))
	if !errors.Is(err, ErrSuccessor) || !errors.Is(err, late) || !strings.Contains(err.Error(), "it said: waiting for the database") {
		t.Errorf("HandOver to one that is never ready: %v; want ErrSuccessor, why, and what it said", err)
	}
	if said.String() != "waiting for the database\n" {
		t.Errorf("its Stderr got %q", said.String())
	}
	mustConnect(t, o)
}

func TestHandOverIsRefusedWhereNoSuccessorOutlives(t *testing.T) {
	nothing := map[string]string{}
	for name, test := range map[string]struct {
		pid, parent int
		parentName  string
		environment map[string]string
		want        string // empty: it may leave
	}{
		"a shell's child":         {70, 60, "bash", nothing, ""},
		"an orphan":               {70, 1, "systemd", nothing, ""},
		"a container's only":      {1, 0, "", map[string]string{"NOTIFY_SOCKET": "/run/notify"}, "process 1 of a container"},
		"a child of tini":         {7, 1, "tini", nothing, "tini takes the end of this process"},
		"a child of runit":        {70, 60, "runsv", nothing, "runsv takes"},
		"systemd is told":         {70, 1, "systemd", map[string]string{"SYSTEMD_EXEC_PID": "70", "NOTIFY_SOCKET": "/run/notify"}, ""},
		"systemd is not told":     {70, 1, "systemd", map[string]string{"SYSTEMD_EXEC_PID": "70"}, "Type=notify"},
		"a child of such a child": {70, 60, "sh", map[string]string{"SYSTEMD_EXEC_PID": "60"}, ""},
		"launchd's":               {70, 1, "", map[string]string{"XPC_SERVICE_NAME": "org.counter"}, "that of org.counter"},
		"a terminal of macOS":     {70, 1, "", map[string]string{"XPC_SERVICE_NAME": "0"}, ""},
	} {
		s := surroundings{test.pid, test.parent, test.parentName, func(key string) string { return test.environment[key] }}
		err := s.mayLeave()
		if (err != nil) != (test.want != "") || err != nil && (!errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: mayLeave = %v, want %q", name, err, test.want)
		}
	}
}

// notComparable is a writer of which == panics.
type notComparable struct{ _ []io.Writer }

func (notComparable) Write(p []byte) (int, error) { return len(p), nil }

func TestSameWriterOfWritersThatCannotBeCompared(t *testing.T) {
	var w io.Writer = notComparable{}
	if sameWriter(w, w) {
		t.Error("two writers that cannot be compared are the same, want not")
	}
	one, other := new(strings.Builder), new(strings.Builder) // os.Stdout is os.Stderr under go test -json
	if !sameWriter(one, one) || sameWriter(one, other) {
		t.Errorf("compare writers: got %v for one and itself, %v for two, want true and false", sameWriter(one, one), sameWriter(one, other))
	}
}
