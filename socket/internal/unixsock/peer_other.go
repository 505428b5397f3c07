//go:build !(darwin || freebsd || linux)

package unixsock

import (
	"errors"
	"os"
)

func peerOf(int) (Peer, error) { return Peer{}, errors.ErrUnsupported }

func pidfd(int) (*os.File, error) { return nil, errors.ErrUnsupported }
