package sockettest

import "github.com/rxipc/rxipc/socket/internal/wire"

// The memory of a [socket.View] is overwritten as soon as it is given back, so that a test fails
// that uses it too late.
func init() { wire.PoisonLoans() }
