// Package wire turns bytes into frames and frames into bytes, as PROTOCOL.md describes, and
// has the grammar of media types. It knows io.Reader and io.Writer, and nothing of
// connections, goroutines or time. control.go has the control messages, handshake.go what only two
// peers of rxipc say.
//
// A [Reader] decodes and an [Output] collects what is to be written. One goroutine at a time
// may use either of them; in a connection that is its reader, and the holder of its write
// lock. There are no locks here, except those in the pools of buffers. Strings of a [Message]
// never change and may be shared.
//
// Media types are strings in their canonical spelling, which [ParseMediaType] returns.
// Functions that take one do not check it again.
package wire
