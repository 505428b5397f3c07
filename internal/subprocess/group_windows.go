package subprocess

import "os/exec"

func ownGroup(*exec.Cmd) {}

// terminate does nothing: a program without a window has no way to be asked.
func terminate(*exec.Cmd) {}

func kill(cmd *exec.Cmd) { cmd.Process.Kill() }
