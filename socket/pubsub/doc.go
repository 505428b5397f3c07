// Package pubsub sends messages to all subscribers of a topic, across processes. A hub publishes:
//
//	hub := pubsub.NewHub(ipc, pubsub.Config{})
//	go hub.Serve(socket.Exchanges(ipc.Listen(name))).Run(ctx)
//	…
//	err := hub.Publish(ctx, "orders.eu.paid", message)
//
// A subscriber, in this process or another one, gets an observable of what it wants:
//
//	events := pubsub.Subscribe(ipc, name, "orders.*.paid", "alarms.>")
//	err := events.ForEach(ctx, func(e pubsub.Event) { fmt.Println(e.Topic, e.Message.Content()) })
//
// # Topics
//
// A topic is one or more words with dots between them. A word has letters, digits, '-' and
// '_'. A pattern is a topic with two wildcards:
//
//	a.*.c  the * stands for any one word
//	a.>    the > stands for one or more words, at the end only
//
// So orders.*.paid matches orders.eu.paid, and orders.> matches it as well, but not orders. A
// topic or pattern has at most 255 bytes. The wildcards are those of NATS.
//
// # Slow subscribers
//
// Each subscriber has a buffer at the hub, with a limit in messages and one in bytes, and an
// overflow policy; see [Config] and [Subscription]. A subscriber that does not read, because
// its process is stopped for instance, fills first the buffer of its socket and then its
// buffer at the hub. Then
//
//   - stream.Block makes Publish wait, and with it all subscribers, up to [Config.Patience].
//     Then the subscriber is dropped.
//   - stream.DropOldest and stream.DropNewest drop messages. [Event].Missing tells the
//     subscriber how many are missing, and where.
//   - stream.Fail drops the subscriber.
//
// A subscriber that is dropped holds no memory at the hub. It gets the reason behind what the
// system has taken for it already, as soon as it reads on: its run fails with a [*SlowError].
// A subscriber that reads nothing for socket.ServerConfig.WriteTimeout loses its connection.
// [Config.Dropped] and [Hub.Stats] tell the publisher about all of it.
//
// # Guarantees
//
// All subscribers get messages in the order in which Publish has taken them. A message is
// delivered at most once: what was sent to a connection that broke, or published while a
// subscriber had no connection, is missed by it. [Config.Retain] keeps the last message of
// each topic for subscribers that come later, in the memory of the hub.
//
// PROTOCOL.md describes the messages between hub and subscriber, for subscribers in other
// languages.
package pubsub
