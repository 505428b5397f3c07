// Package park keeps the sessions of a server that wait for their clients without a
// goroutine each. It knows nothing of the protocol: a [Session] is a socket that is read,
// and a number that changes with each message.
//
// A [Lot] serves the sessions of one run, and each session has a [Spot] in it. Begin may be
// called from any goroutine. Enter, Rests, Park and Leave are for the goroutine of the
// session. Resume may be called from any goroutine, but not by Session.Nudge, which runs with the
// lock held.
//
// There is one lock, that of the Lot. It is held during the call that starts a
// goroutine for a session, and during the methods of Session, so none of these may wait for a
// session or call into the Lot.
package park
