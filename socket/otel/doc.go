// Package otel makes metrics and traces for OpenTelemetry of what happens in package
// socket:
//
//	hooks, err := otel.Hooks(otel.Config{})
//	…
//	ipc := socket.New(socket.Config{Hooks: hooks})
//
// It is a module of its own, so that package socket depends on nobody. The metrics and
// what each is made of are listed in README.md. They follow the semantic conventions for
// messaging where there is one, and have names that begin with rxipc otherwise. Their
// attributes are the name of the server, and words of which there are few; numbers of
// connections and of processes are in spans alone.
//
// There is a span for each message that a server handled, and for each that a client
// sent, made when it is over, with the times it had. Frames have no place for a trace's
// identity, so that spans of two processes belong to different traces, unless you put it
// into the contents of messages: see [Config].
package otel
