// Package sockettest tests servers and clients of package socket without a file
// system and in virtual time: what they are sent, and what they answer when.
//
// # A server under test
//
// [Run] gives a test a [Bench] where virtual clients do what a diagram shows, and
// expect what another shows. Diagrams are those of package streamtest: a column is a
// millisecond, a letter is a message of that text, | asks to close, # dies.
//
//	func TestCounter(t *testing.T) {
//		sockettest.Run(t, func(b *sockettest.Bench) {
//			alice := b.Client(name, "   a-b-|")
//			bob := b.Client(name, "     -^--c--#")
//			alice.Expect("              a-b-|")
//			bob.Expect("                ----c--#")
//			sockettest.Expect(b, counter, "-------(3|)")
//		})
//	}
//
// Counter is the server, a function of a context and a [socket.IPC]; it ends with
// what it carried, 3. The clients speak the real protocol with it over a [Network] in
// memory. A test whose expectations are not met says which, with the diagrams under
// each other:
//
//	counter_test.go:12: the run is not as expected
//	    expected  a-b-|
//	      actual  a--b|
//	                ^^
//	    frame 2: expected "b", got nothing
//	    frame 3: got "b", expected nothing
//
// Where it matters what is on the wire, [Peer.ExpectWire] shows control messages by
// their signs, so that this client sees that a silent one gets a heartbeat each
// 1.3 s:
//
//	b.Client(name, "^").ExpectWire("< 1299ms ~ 1299ms ~")
//
// # Misbehaviour
//
// What a client does may be bound to a name, and need not be what a client should do:
// [Bytes] that are no frame, a frame that is [Cut] by the client's death or comes in a
// [Trickle], [StopReading]. One that [Never] reacts does not even answer the
// handshake; [Peer.Reacts] says how it does otherwise.
//
// # A client under test
//
// [Bench.Server] is a virtual server: its diagram shows what it pushes and when it
// closes or dies; how it reacts to messages, beyond acknowledging them, is what
// [Peer.Reacts] says. The code of a client is run by [Expect], as a server is.
//
// # Without a bench
//
// [NewNetwork] is a [socket.Transport] for any test, in a bubble of
// [testing/synctest] or not. [Pipe] is a single connection, for [socket.IPC.Attach]
// and [socket.IPC.Accept].
package sockettest
