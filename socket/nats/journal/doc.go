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
// The same program with a URL such as nats://host instead of the folder keeps the journal on that
// server or cluster.
//
// # Guarantees
//
//	what                               after kill -9 of the process       after a crash of the system
//	an acknowledged message            is in the journal, in its place    the same; with SyncEvery only if
//	                                                                      it is older than that
//	a message that was not             may be in the journal, once        the same
//	acknowledged
//	a message in the journal           is in each State exactly once      the same
//	the order of a connection's        stays                              stays
//	messages
//	the same id within Window          is stored once                     the same
//	a job of a Queue                   is delivered until it is settled   the same
//
// On a cluster a message is acknowledged when most of its replicas have it. Each server of the cluster
// syncs to the disk as its sync_interval says, so a crash of most of them at the same time can lose what
// is younger than that.
//
// # Exactly once
//
// A sender that gets no acknowledgement sends again, and the journal may have the message already.
// So give each message an id, as a parameter of its media type, before you give it to a
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
//   - A crash does not undo other effects of a handler, such as a file that it wrote.
//
// When a batch has a message whose id is remembered, its other messages are stored one by one, each with
// a sync of its own. That is slow, and happens when a sender tries again.
//
// # State
//
// A [State] folds a journal. It keeps its carry, with the number of the last message that is in it, as
// one message of another stream. A run replaces that message only if no other run has replaced it. The
// next run reads the carry, and folds what came later. If a message is missing or the carry cannot be
// read, the fold fails and overwrites nothing.
//
// A server of [github.com/rxipc/rxipc/socket.Serve] cannot be resumed from its messages: its handler
// returns any carry for a connection, and no message says what it adds to the total. A server that
// survives a crash is a pipeline of [Journal.Commit] and [State.Fold], with TakeWhile in the place of
// Monitor.
//
// # Streams in the broker
//
// The journal x is the stream x. Its carries are in the stream x_carry, and the dead letters of its
// queue q in x_q_dead. The headers of a message are Content-Type, the media type, and Nats-Msg-Id, the
// id. So programs with other libraries of NATS can read it. Streams of other programs are refused
// with [ErrForeign].
package journal
