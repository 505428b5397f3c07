//go:build !unix

package framed

import "net"

// newRawIO returns the rawIO that suits a connection: there is one here.
func newRawIO(conn net.Conn) rawIO { return plainIO{conn} }
