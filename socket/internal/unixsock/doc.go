// Package unixsock has what servers and clients do with unix sockets before a byte of the
// protocol passes: the folder of the sockets, the lock on each name, listening and connecting, a
// socket file that is made again after it was removed ([Listener].Look),
// the users at both ends, and handing sockets from one process to the next. Names are plain
// strings, which [CheckName] checks.
//
// All functions and methods may be called from any goroutine. [Place].Listen, Dial and
// [Registry].HandOver block until their context ends; the last one starts a process, and a
// goroutine that reads what it says.
//
// The locks, in their order: Registry.busy, Registry.mu, Listener.mu. The sockets that the
// process was started with have a lock of their own, which comes after Listener.mu. None is held
// while a caller's function or a session with another server runs, but for Registry.busy.
package unixsock
