package child

import (
	"os/exec"
	"syscall"
)

// dieWithParent has the system kill the child when this process dies. Start keeps the thread
// alive that the signal refers to.
func dieWithParent(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	if cmd.SysProcAttr.Pdeathsig == 0 {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
}
