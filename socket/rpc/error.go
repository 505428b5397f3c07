package rpc

import (
	"errors"
	"strings"
)

// ErrBadResponse means that a client could not decode the response of the server, that the response
// has another media type than the method, or that it is a request, as from a server that sends back
// what it gets.
var ErrBadResponse = errors.New("the response cannot be decoded")

// Error is the error of a call: the method, and the cause. Get it with errors.As, and test the
// cause with errors.Is. The cause is a [*Problem] if the server answered with one.
//
// A handler that fails with the Error of a call to another server does not tell its own caller
// what that server told: to pass the Problem on, return it without the Error around it.
type Error struct {
	Method string // its name
	Err    error  // the cause
}

// Error returns "rpc: call method: cause".
func (e *Error) Error() string {
	return "rpc: call " + e.Method + ": " + strings.TrimPrefix(e.Err.Error(), "socket: ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
