// Package journal keeps messages on the disk before they are acknowledged, and state across crashes.
// It stands on the streams of NATS (JetStream), with a broker embedded in the process or a cluster.
//
//	j, err := journal.Open(ctx, "/var/lib/counter", "counter", journal.Config{})
//	…
//	defer j.Close()
//	count := journal.State[int]{
//		Name:   "count",
//		Monoid: fold.Sum[int](),
//		Of:     func(journal.Entry) int { return 1 },
//	}
//	total := stream.Pipe3(
//		socket.Exchanges(ipc.Listen(name)),
//		j.Commit,      // acknowledged when it is on the disk
//		count.Fold(j), // goes on where the run before ended, or was killed
//		operators.TakeWhile(func(c journal.Carry[int]) bool { return c.Value < 42 }, operators.Inclusive),
//	).Last(ctx)
//
// The same program with nats://host instead of the folder keeps the journal on a cluster.
//
// # Guarantees
//
//	what                               after kill -9 of the process       after a crash of the system
//	an acknowledged message            is in the journal, in its place    the same; with SyncEvery, unless
//	                                                                      it is younger than that
//	a message that was not             may be in the journal, once        the same
//	acknowledged
//	a message in the journal           is in each State exactly once      the same
//	the order of a connection's        stays                              stays
//	messages
//	the same id within Window          is stored once                     the same
//	a job of a Queue                   is delivered until it is settled   the same
//
// On a cluster the first and the last column hold for its servers: a message is acknowledged when
// most of the replicas have it. What a server has written, it syncs as its sync_interval says.
//
// # Exactly once
//
// A sender that gets no acknowledgement sends again, and the journal may have the message already.
// So give each message an id, as a parameter of its media type, before it goes to a
// [github.com/rxipc/rxipc/socket/sender.Sender] or another client that tries again:
//
//	text/plain; id=01J8Z3K7
//
// The journal remembers ids for [Config.Window]. Then a sender and a journal are together exactly
// once, within these limits:
//
//   - All senders of a journal share the ids, so an id must differ from that of any other message.
//   - A sender that tries again after Window is not recognized. Nor is one whose message was removed
//     by the limits of the journal.
//   - What a handler does beside the fold, such as to write a file, is not undone by a crash.
//
// After a batch with an id that is remembered, its other messages are stored one by one, each with a
// sync of its own. That is slow, and happens when a sender tries again.
//
// # State
//
// A [State] folds a journal. Its carry is kept with the number of the last message in it, as one
// message of another stream, which replaces the one before only if no other run has. The next run
// reads it, and folds what came later. The fold fails, and overwrites nothing, if a message is
// missing or the carry cannot be read.
//
// [github.com/rxipc/rxipc/socket.Serve] has a carry for each connection, which its handler replaces
// at will, and combines them when connections end. No message says what it adds to the total, so
// such a server cannot be resumed from messages. Hence a server that survives is a pipeline of
// [Journal.Commit] and [State.Fold], with TakeWhile in the place of Monitor.
//
// # Streams in the broker
//
// The journal x is the stream x. Its carries are in the stream x_carry, and the dead letters of its
// queue q in x_q_dead. The headers of a message are Content-Type, the media type, and Nats-Msg-Id, the
// id. So programs with other libraries of NATS can read it. Streams of other programs are refused
// with [ErrForeign].
package journal
