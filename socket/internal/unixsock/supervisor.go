package unixsock

import (
	"errors"
	"fmt"
	"os"
	"strconv"
)

// surroundings decide whether a process may end and leave a successor behind.
type surroundings struct {
	pid, parent int
	parentName  string // as the system has it; empty when it does not tell
	getenv      func(string) string
}

// surroundingsHere returns the surroundings of this process.
func surroundingsHere() surroundings {
	parent := os.Getppid()
	return surroundings{pid: os.Getpid(), parent: parent, parentName: commandOf(parent), getenv: os.Getenv}
}

// supervisors are programs that take the end of their child for the end of a service. They start
// it again, or end with it, and nothing can tell them of another main process.
var supervisors = map[string]bool{
	"runsv": true, "s6-supervise": true, "supervise": true, "supervise-daemo": true, "perpd": true, "supervisord": true,
	"tini": true, "docker-init": true, "dumb-init": true, "catatonit": true,
}

// mayLeave fails with errors.ErrUnsupported, the reason and what helps, if a successor
// would not outlive this process.
func (s surroundings) mayLeave() error {
	switch service := s.getenv("XPC_SERVICE_NAME"); {
	case s.pid == 1:
		return cannotLeave("this is process 1 of a container, and the system ends the container with it: restart the container instead")
	case s.getenv("NOTIFY_SOCKET") != "":
		return nil // HandOver tells the manager
	case s.getenv("SYSTEMD_EXEC_PID") == strconv.Itoa(s.pid):
		return cannotLeave("systemd would end the service with this process: its unit needs Type=notify")
	case supervisors[s.parentName]:
		return cannotLeave(s.parentName + " takes the end of this process for that of the service: let it restart the service instead")
	case s.parent == 1 && service != "" && service != "0":
		return cannotLeave("launchd takes the end of this process for that of " + service + ": let it restart the service instead")
	}
	return nil
}

func cannotLeave(why string) error { return fmt.Errorf("%w: %s", errors.ErrUnsupported, why) }
