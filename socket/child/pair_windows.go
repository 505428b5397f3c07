package child

import (
	"errors"
	"fmt"
	"net"
	"os"
)

func socketpair() (net.Conn, *os.File, error) {
	return nil, nil, fmt.Errorf("socketpair: %w on Windows; StartNamed works there", errors.ErrUnsupported)
}
