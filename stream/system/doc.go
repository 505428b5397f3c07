// Package system makes streams of files that grow, folders that change, child processes, signals
// and the wall clock. It also writes files that are rotated.
//
//	logs := system.Follow("/var/log/app.jsonl", system.FollowOptions{From: system.End})
//	err := logs.ForEach(ctx, func(line system.Line) { fmt.Println(line.Text) })
//
// A run leaves no open file, process or registration when it returns, whatever it was blocked
// on. Package text reads readers, pipes and whole files.
package system

import "errors"

// errNotRegular says that a path leads to a folder, pipe or device.
var errNotRegular = errors.New("is no regular file; text.Lines reads pipes and devices")

func mustHave(function, what string, has bool) {
	if !has {
		panic("system: " + function + " with a nil " + what)
	}
}
