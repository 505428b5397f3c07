// Package faults proves the promise of package socket: an acknowledged message has been
// handled, once, and is in the carry of the server, whatever died when. It is a program
// in the tests. Many client processes talk to a server process, well and badly, while
// processes are killed, stopped and started again. Three servers of four end in good order,
// one of these by handing over to the next. Then the program compares, message by message, the
// acknowledgements and responses of each client with the messages that the servers handled and
// carried, and counts what is left in the server. A request of a pool may fail only if it was
// sent to a server that was killed.
//
// With go test it runs for a few seconds. By hand, for as long as one likes:
//
//	RXIPC_FAULTS=10m go test ./socket/faults -run Faults -v -timeout 0
//
// RXIPC_FAULTS_CLIENTS is how many client processes there are, RXIPC_FAULTS_SEED
// repeats the choices of another run; in what order the system lets them meet it
// does not repeat. The test needs a Unix system.
package faults
