// Package otel produces OpenTelemetry metrics and traces of servers and clients of package
// socket:
//
//	hooks, err := otel.Hooks(otel.Config{})
//	…
//	ipc := socket.New(socket.Config{Hooks: hooks})
//
// The package is a module of its own, so that package socket has no dependencies. README.md
// lists the metrics and their attributes. They follow the semantic conventions for messaging
// where there is one. The names of the others begin with rxipc. Attributes of metrics have
// few values: the name of the server and words from short lists. The numbers of connections
// and processes appear in spans only.
//
// Each message that a server has handled, and each that a client has sent, gets a span. The
// span is made at the end of the operation, with the times of its beginning and end. The spans of
// two processes belong to different traces, unless the messages carry the identity of a span.
// Those of package rpc do with [ClientMiddleware] and [ServerMiddleware], which also make a span
// for each call; for others see [Config].
package otel
