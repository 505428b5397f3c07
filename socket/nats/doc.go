// Package nats connects processes on different machines through NATS. Its [Transport] takes the
// place of [socket.Unix] in [socket.Config]; servers and clients stay as they are:
//
//	conn, err := natsio.Connect("nats://a.example.org,nats://b.example.org", natsio.UserCredentials("worker.creds"))
//	if err != nil {
//		return err
//	}
//	defer conn.Close()
//	ipc := socket.New(socket.Config{Transport: nats.Transport(conn, nats.Config{})})
//
// Here natsio is github.com/nats-io/nats.go, whose options decide about addresses, TLS,
// credentials and accounts. Package broker has a server of NATS inside the process. The transport
// needs no JetStream, and keeps nothing at the broker. The page docs/machines.md of the repository
// goes from one process to many machines in four steps.
//
// # Guarantees
//
//	names          one server holds a name, or several share it (Config.Share)
//	bytes          all arrive, in order, or the connection fails with ECONNRESET
//	acknowledged   means handled, as over unix sockets; no broker acknowledges anything
//	slow reader    slows its sender, by a window for each connection; the broker drops nothing
//	size           any; contents pass in pieces below the broker's max_payload
//	peer           the user of the broker, with Config.User and the permissions below
//
//	what ends                               is noticed
//	the other process                       at the next write, or within 2 × KeepAlive
//	the connection of this process          at once
//	the connection of the other process     when it is connected again, or within 2 × KeepAlive
//	the network, which passes nothing       after 3 to 4 × KeepAlive: 15 to 20 seconds by default
//
// In all of these cases the connection fails with ECONNRESET, as one over TCP would. A connection also
// fails if a message was lost between brokers, as soon as the next message arrives. nats.go makes the
// connection to NATS again, and listeners go on then. Meanwhile Dial fails with ErrNotListening. Give
// the option MaxReconnects(-1): by default nats.go gives up after some minutes, which ends listeners
// with an error.
//
// # Names
//
// Listen asks for other listeners of the name and waits for Config.Discovery, 250 milliseconds by
// default. NATS has no locks, so two servers can hold a name for a moment; see [Transport]. A
// connection always has one server, so no message goes to both.
//
// # Trust
//
// NATS does not tell who has published a message. So the last token of each subject is the user who
// publishes, and the permissions of the broker must bind it to the user. In a configuration of
// nats-server, for the server of the name counter and a client:
//
//	authorization {
//	  users = [
//	    { user: alice, password: …, permissions: {
//	      publish:   ["rxipc.open.*.alice", "rxipc.to.*.*.*.alice", "rxipc.names.alice"]
//	      subscribe: ["rxipc.to.alice.>"]
//	    } }
//	    { user: server, password: …, permissions: {
//	      publish:   ["rxipc.who.*.server", "rxipc.to.*.*.*.server", "rxipc.open.*.server", "rxipc.names.server"]
//	      subscribe: ["rxipc.to.server.>", "rxipc.open.counter.*", "rxipc.who.counter.*", "rxipc.names.*"]
//	    } }
//	  ]
//	}
//
// With Config.User both sides know the other's user: it is the name of the [socket.Peer], so
// [socket.Named] decides about it, for servers and for clients. The transport cannot see whether the
// broker has such permissions. Without them any user of the account can take any name, and
// Config.User proves nothing. Without Config.User the peer is unknown, and [socket.Named] refuses it.
// The default of [socket.Config] accepts every peer over NATS, with a Config.User or without.
//
// Bytes are encrypted on their way to a broker and from it if the URLs or options of nats.go say so.
// The brokers can read them.
//
// # Differences from unix sockets
//
// A connection costs a round trip when it is made. It has no subscription of its own: a process has one
// for all its connections. An idle connection keeps its goroutine, and sends a message in each KeepAlive. A
// process that is stopped for longer than three of them loses its connections.
//
// A write succeeds once its bytes are in the buffer of this process. A request to a server that has died
// in that moment fails as doubtful, since the client cannot know whether it was handled.
//
// A new server cannot take over a name with [socket.IPC.HandOver]. With Config.Share it can start
// before the old one ends.
package nats
