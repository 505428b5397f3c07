// Package framed is one end of a connection: frames in, frames out and heartbeats over one
// net.Conn. It knows neither servers nor clients, nor messages beyond their bytes.
//
// One goroutine at a time is the reader of a [Conn], and one at a time holds its write lock;
// they may be different ones. Methods that read are for the reader, and Flush and its siblings for
// the holder of the write lock. Lock, TryLock, TryWrite, Interrupt, Nudge, End, Unfinished,
// SetFlushDue, Expect and Now may be called from any goroutine. If a write leaves bytes, Unlock
// interrupts the reader, which writes them. UnlockShared is for goroutines that write a little at
// the same time: one of them writes for all.
//
// Lock order: the write lock, then Timers.mu. Timers call OnTimer of their members without a lock,
// and Due with Timers.mu held.
package framed
