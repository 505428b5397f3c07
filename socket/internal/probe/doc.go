// Package probe checks whether there is a server behind a connection. It goes through a whole
// session without a message.
//
// Servers in PHP need the whole session: when a client closes the connection without it,
// innmind/ipc 4.4 loses its carry and 5.0 ends with an error.
//
// [Visit] may be called from any goroutine that has a connection. It blocks for a second at
// most, starts no goroutine, and takes no lock.
package probe
