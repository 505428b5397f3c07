// Package unixsock has the parts of unix sockets that know the file system and nothing of the
// protocol: so far it watches the folder of the sockets, for clients that wait for a server.
//
// Names are plain strings here. A [FolderWatch] may be used from any goroutine. It has one
// lock, under which it starts the watching, and never calls out of the package while it holds
// that.
package unixsock
