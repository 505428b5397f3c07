// Package probe visits a server in the politest way: it goes through a whole session, without
// a message, and so finds out whether a server is there.
//
// The session is for the sake of servers: innmind/ipc 4.4 loses its carry when a client
// closes the connection without it, and 5.0 ends with an error.
//
// [Visit] may be called from any goroutine that has a connection. It blocks for a second at
// most, starts no goroutine, and takes no lock.
package probe
