// Package framed is one end of a connection: frames in, frames out and heartbeats over one
// net.Conn. It knows neither servers nor clients, nor messages beyond their bytes.
//
// One goroutine at a time is the reader of a [Conn], and one at a time holds its write lock;
// they may be different ones. Each method says whose it is. Interrupt, TryWrite, Unfinished
// and Expect may be called from any goroutine. Nothing is written by half for somebody
// else to remember: Unlock interrupts the reader if bytes are left, and the reader sees to
// them.
//
// Lock order: the write lock, then Timers.mu. Timers call their members without a lock.
package framed
