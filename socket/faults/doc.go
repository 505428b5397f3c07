// Package faults tests the promise of package socket under failures: an acknowledged message
// was handled exactly once and is in the carry of the server, whichever process died at
// whatever time. The test is a program. Many client processes talk to a server process,
// correctly or not, while processes are killed, stopped and started again. Of four servers
// one is killed, one hands over to the next, and two end in good order. At the end the
// program compares, message by message, the acknowledgements and responses of each client
// with the messages that the servers handled and carried. It counts the resources that the
// server still holds. Every message has a checksum. Every second server gets lent contents
// (Server.WithViews), and so do some of the clients; lent memory is overwritten as soon as it is
// given back. A request of a pool may fail only if it was sent to a server that was
// killed.
//
// As part of go test it runs for a few seconds. A longer run:
//
//	RXIPC_FAULTS=10m go test ./socket/faults -run Faults -v -timeout 0
//
// It runs over unix sockets, and once more over TCP with TLS, where no server hands over.
// RXIPC_FAULTS_CLIENTS sets the number of client processes. RXIPC_FAULTS_SEED repeats the
// random choices of an earlier run, but not the order in which the system schedules the
// processes. The test needs a Unix system.
package faults
