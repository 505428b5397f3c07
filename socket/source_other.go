//go:build !unix

package socket

import "net"

// newSource returns the source that suits a connection: there is one here.
func newSource(conn net.Conn) source { return plainSource{conn} }
