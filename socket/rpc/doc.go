// Package rpc has typed requests over package socket: methods with types for their requests and
// responses, errors that travel, deadlines that reach the handler, streams of answers and
// notifications.
package rpc
