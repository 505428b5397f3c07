// Package recording records what goes over the connections of package socket, and the values of
// observables, with times, and plays it again: to a server, to a client, in a test.
//
// [Transport] records the connections of a program, and [Values] an observable. The command "rxipc
// record" records the connections of a running server. A [Recording] that was read from a file plays
// its clients to a server with [Recording.PlayClients], and its server to clients with
// [Recording.PlayServer]. Both return what differed. Replay and ReplayServer of package
// socket/sockettest do the same in a test, in virtual time.
//
// # The format
//
// A recording is a file of JSON lines: UTF-8, an object a line. The first line says what it is:
//
//	{"recording":1,"name":"counter","begin":"2026-11-27T21:16:36.5Z","about":"one request"}
//
// The number is the version of the format. "name" is the name of the server, "begin" the time at
// which the recording began, "about" a text for people. All three may be missing. Each other line
// is an [Entry]:
//
//	{"ms":0.2,"connection":1,"kind":"open"}
//	{"ms":0.3,"connection":1,"from":"server","kind":"start"}
//	{"ms":5.4,"connection":1,"from":"client","kind":"start-ok","mediaType":"text/plain; peer=rxipc"}
//	{"ms":5.4,"connection":1,"from":"client","kind":"message","mediaType":"text/plain","content":"hello","joined":true}
//	{"ms":9.7,"connection":1,"from":"server","kind":"ack"}
//	{"ms":9.8,"connection":1,"from":"server","kind":"message","mediaType":"text/plain","base64":"/w=="}
//	{"ms":12.3,"connection":1,"from":"client","kind":"end"}
//
//	ms          milliseconds since the recording began, with up to six digits after the point
//	connection  the number of the connection, from 1 on; of an observable, the number of the run
//	from        "client" or "server", which sent it; missing for open, stop, and of observables
//	kind        what it is, see Kind
//	mediaType   the media type of a message, or of a control message with parameters
//	content     the content of a message, if it is UTF-8; a message without content has none
//	base64      the same for other contents, and for bytes
//	missing     how many bytes of the content are left out at its end
//	joined      true: in one write with the entry before it of the same connection and side
//	name        of open, stop and subscribed: the name of the server or observable, if it differs from
//	            the name in the first line
//
// Unknown members are ignored. The lines of one side of a connection are in order. Lines of different
// sides and connections may not be: order them by their times, which this package never writes twice,
// except in joined entries. A recorder that is killed may leave an incomplete last line.
package recording
