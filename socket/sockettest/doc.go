// Package sockettest tests servers and clients of package socket without a file system
// and in virtual time: which messages they receive, which answers they send, and when.
//
// # A server under test
//
// [Run] gives a test a [Bench]. On it virtual clients perform the events of one diagram
// and expect the events of another. The diagrams are those of package streamtest: a
// column is a millisecond, a letter is a message of that text, | asks to close, # dies.
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
// Counter is the server, a function of a context and a [socket.IPC]. It ends with the
// value that it carried, 3. The clients speak the real protocol with it over a
// [Network] in memory. A test whose expectations are not met fails and shows the
// diagrams under each other:
//
//	counter_test.go:12: the run is not as expected
//	    expected  a-b-|
//	      actual  a--b|
//	                ^^
//	    frame 2: expected "b", got nothing
//	    frame 3: got "b", expected nothing
//
// [Peer.ExpectWire] shows control messages by their signs. This silent client gets a
// heartbeat every 1.3 s:
//
//	b.Client(name, "^").ExpectWire("< 1299ms ~ 1299ms ~")
//
// # Misbehaviour
//
// A character may be bound to an event that no client should perform: [Bytes] that are
// not a frame, a frame that is [Cut] by the client's death or sent in a [Trickle],
// [StopReading]. A client that reacts with [Never] does not even answer the handshake.
// [Peer.Reacts] prescribes other reactions.
//
// # A client under test
//
// [Bench.Server] is a virtual server. Its diagram shows the messages that it pushes and
// when it closes or dies. Its reaction to messages, besides acknowledging them, is set
// with [Peer.Reacts]. [Expect] runs the code of a client, as it runs a server.
//
// # Without a bench
//
// [NewNetwork] is a [socket.Transport] for any test, inside or outside of a bubble of
// [testing/synctest]. [Pipe] is a single connection, for [socket.IPC.Attach] and
// [socket.IPC.Accept].
//
// [CheckTransport] checks a transport of your own against all that servers and clients rely on.
package sockettest
