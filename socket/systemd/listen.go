package systemd

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// FirstFD is the first descriptor that is passed to a process, after the standard ones.
const FirstFD = 3

const (
	listenPID   = "LISTEN_PID"
	listenFDs   = "LISTEN_FDS"
	listenNames = "LISTEN_FDNAMES"
)

// TakeListenNames returns the names of the descriptors that were passed to this process: the
// descriptor FirstFD+i has the name i, which is empty if no names were given. It removes the
// variables from the environment, so that a child process does not mistake the descriptors
// for its own.
//
// It returns nil if nothing was passed, or if LISTEN_PID is another process. It fails if
// LISTEN_FDS is no number from 0 to 65535, and if there are more or fewer names than
// descriptors; in that case the names that it returns are empty.
func TakeListenNames() ([]string, error) {
	pid, count, text := os.Getenv(listenPID), os.Getenv(listenFDs), os.Getenv(listenNames)
	for _, key := range []string{listenPID, listenFDs, listenNames} {
		os.Unsetenv(key)
	}
	if count == "" || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	n, err := strconv.ParseUint(count, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("systemd: take the passed sockets: %s is %.64q, want a number from 0 to 65535", listenFDs, count)
	}
	names := make([]string, n)
	if text == "" {
		return names, nil
	}
	given := strings.Split(text, ":")
	if len(given) != len(names) {
		return names, fmt.Errorf("systemd: take the passed sockets: %s has %d names, want %s as in %s", listenNames, len(given), count, listenFDs)
	}
	return given, nil
}

// ListenEnviron returns the environment of a child process that gets descriptors with these
// names, for instance as the ExtraFiles of an exec.Cmd. It is environ with the variables for the
// child in place of those for this process. It has no LISTEN_PID, because the process ID of the
// child is not known before the child starts. A name must not contain a colon.
func ListenEnviron(environ []string, names ...string) (child []string) {
	for _, variable := range environ {
		switch key, _, _ := strings.Cut(variable, "="); key {
		case listenPID, listenFDs, listenNames, watchdogPID:
		default:
			child = append(child, variable)
		}
	}
	return append(child, listenFDs+"="+strconv.Itoa(len(names)), listenNames+"="+strings.Join(names, ":"))
}
