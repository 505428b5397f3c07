// Package answers has the answers of one connection, in the order of its messages. It knows
// frames, and neither connections nor handlers.
//
// [Current] is the exchange that is being handled. The connection's goroutine begins and ends
// it. The handler takes and concludes it, perhaps on another goroutine, and adds its answer in
// between. [Queue] adds the answers that must wait: those of exchanges that are held, and of
// later ones. Take, Respond, Reject, Conclude, Wake and Hold are for the handler. MoveHeld is for the
// holder of the connection's write lock. Activity, Answer and Len may be called from any goroutine,
// the other methods from the connection's.
//
// The lock of a Queue is taken last: nothing is called while it is held but the function
// given to Answer.
package answers
