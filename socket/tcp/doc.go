// Package tcp connects processes on different machines, over TCP with mutual TLS. Its [Transport]
// takes the place of [socket.Unix] in [socket.Config]; servers and clients stay as they are:
//
//	files, err := tcp.LoadTLS("worker.pem", "worker.key", "authority.pem")
//	if err != nil {
//		return err
//	}
//	ipc := socket.New(socket.Config{
//		Transport:    tcp.Transport{TLS: files, Directory: tcp.File("/etc/rxipc/names")},
//		ServerConfig: socket.ServerConfig{Clients: socket.Named("controller.example.org")},
//	})
//
// # Names
//
// A [Directory] has the addresses of a name. [Table] keeps them in the program, [File] in a file
// that may change while the program runs, and [SRV] in the domain name system. [Func] is any
// function. A server listens at the first address of its name that belongs to its machine.
// Clients try the addresses in their order.
//
// # Trust
//
// Both sides show a certificate, and both check the other's. A client also checks that the
// certificate of the server is for the host of the address. The names in a certificate are the
// names of its [socket.Peer], so [socket.Named] decides about them. Without an Authorizer
// everyone with a certificate of the authority may connect.
//
// # Differences from unix sockets
//
// A machine that loses its power or its network says nothing. TCP notices that after some
// minutes. [socket.Config.SilenceTimeout] bounds the time.
//
// A write to a server that has died succeeds until this side has read of its end. A request in that
// moment fails as doubtful, since the client cannot know whether it was handled. A write to a unix
// socket fails then, and a [socket.Pool] makes the request again.
//
// A new server cannot take over a name with [socket.IPC.HandOver]. A connection costs two more round
// trips when it is made, and some 40 KiB of memory for TLS at each side. An idle one keeps its
// goroutine.
package tcp
