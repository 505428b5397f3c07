// Package sender sends messages to a server at least once, across its restarts. A [Sender] is
// Process.SendAll that connects again:
//
//	s := sender.New(ipc, name, sender.Config{Spool: "/var/spool/shipper"})
//	err := s.SendAll(messages).ForEach(ctx, func(d sender.Delivery) { … })
//
// Each message is sent until the server has acknowledged it, which means that it has handled it.
// The order stays. Messages that are not acknowledged wait in memory, or in a spool on the disk,
// within limits.
//
// # At least once
//
// When a connection breaks, messages may have been handled whose acknowledgement did not come. They
// are sent again, so the server may get them twice. [Delivery].Doubtful marks them. There are
// none when a server of rxipc restarts in an orderly way or hands over, since it acknowledges
// what it has handled before it closes.
//
// # Spool
//
// With [Config.Spool] a message is taken when it is in a file. It survives the death of the sender,
// kill -9 included: the next run with the same folder sends what is left first, marked as doubtful.
// A crash of the whole system loses what it has not written to the disk yet, unless
// [Config.Sync] is set.
//
// The spool has segments, which are removed when all their messages are acknowledged. A record that
// the death of the sender has cut off is dropped; nobody was told that it is safe. Any other
// damage fails the run with [ErrCorrupt].
package sender
