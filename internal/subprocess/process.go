// Package subprocess starts and ends child processes, for packages that own some. A [Process] has a
// process group of its own, and its end leaves nothing of that group. [Words] keeps the last words
// of a child.
package subprocess

import (
	"errors"
	"os/exec"
	"runtime"
	"time"
)

// LastWords is how many bytes at the end of a child's standard error a Process keeps.
const LastWords = 4 << 10

// ioDelay is how long the end of a child's standard input, output and error is waited for after its
// exit: another process may still have them open.
const ioDelay = time.Second

// Process is a child process, and the processes that it starts.
type Process struct {
	Cmd    *exec.Cmd     // what it was made of
	Words  *Words        // the end of its standard error
	Exited chan struct{} // closed when Err is known
	Err    error         // how it exited; nil: with status 0

	grace time.Duration // between SIGTERM and SIGKILL
}

// Prepare returns a Process that has not been started. The WaitDelay of cmd becomes the grace of Stop.
// Words stay empty if cmd has a Stderr of its own that is no *Words.
func Prepare(cmd *exec.Cmd) *Process {
	p := &Process{Cmd: cmd, Words: &Words{Tail: LastWords}, Exited: make(chan struct{}), grace: cmd.WaitDelay}
	if words, ok := cmd.Stderr.(*Words); ok {
		p.Words = words
	} else if cmd.Stderr == nil {
		cmd.Stderr = p.Words
	}
	cmd.WaitDelay = ioDelay
	ownGroup(cmd)
	return p
}

// Start starts the process. The thread that starts it lives as long as the process does, because
// that is what its SysProcAttr.Pdeathsig refers to.
func (p *Process) Start() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.Cmd.Start()
		started <- err
		if err != nil {
			return
		}
		defer close(p.Exited)
		if err := p.Cmd.Wait(); !errors.Is(err, exec.ErrWaitDelay) { // which Wait returns for status 0 alone
			p.Err = err
		}
	}()
	return <-started
}

// Stop ends the process and its group: with SIGTERM first, if there is a grace, and with SIGKILL
// when the process has not exited within the grace. It returns when the process has exited, and
// may be called several times.
func (p *Process) Stop() {
	if p.grace > 0 && !p.HasExited() {
		terminate(p.Cmd)
		late := time.NewTimer(p.grace)
		defer late.Stop()
		select {
		case <-p.Exited:
		case <-late.C:
		}
	}
	kill(p.Cmd)
	<-p.Exited
}

// Grace returns the time between SIGTERM and SIGKILL.
func (p *Process) Grace() time.Duration { return p.grace }

// HasExited reports whether the process has exited.
func (p *Process) HasExited() bool {
	select {
	case <-p.Exited:
		return true
	default:
		return false
	}
}
