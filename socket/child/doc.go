// Package child starts a program and connects to it, and ends it together with this process. The
// program is a server of package socket that has one client, its parent:
//
//	c, err := child.Start(ctx, ipc, exec.Command("worker", "-v")).Get()
//	if err != nil {
//		return err // with the exit status and the last words of a program that ended
//	}
//	defer c.Close(ctx)
//	answer := c.Process().Request(ctx, socket.Text("hello"))
//
// In the program:
//
//	listener, err := child.Listener()
//	served := socket.ServeConnections(ipc.Accept(listener), fold.Unit()).With(ctx, handle)
//
// The two talk over a socketpair, which has no name, so nobody else can connect. The program gets its
// end as systemd passes a connection with Accept=yes: as descriptor 3, called connection in
// LISTEN_FDNAMES. So a program that systemd or [socket.One] serves needs no change.
//
// [StartNamed] is for programs that listen on a name, and for Windows, which has no socketpairs.
//
// # The end of the child
//
//   - When the context of Start ends, the child and all processes of its group get SIGTERM. Those
//     that still run after the grace get SIGKILL. The grace is the WaitDelay of the exec.Cmd,
//     5 s if that is zero.
//   - When this process ends in any way, the child's connection ends, and with it a server of
//     [Listener]. On Linux the system kills the child as well (PR_SET_PDEATHSIG), unless the
//     SysProcAttr of the exec.Cmd has another Pdeathsig. Processes that the child has started
//     are not killed then.
//   - On Windows there is no SIGTERM, and only the child itself is killed.
package child
