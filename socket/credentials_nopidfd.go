//go:build !linux

package socket

import (
	"errors"
	"os"
)

func peerPidfd(int) (*os.File, error) { return nil, errors.ErrUnsupported }
