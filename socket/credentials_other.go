//go:build !(darwin || freebsd || linux)

package socket

import "errors"

func peerOfSocket(int) (Peer, error) { return Peer{}, errors.ErrUnsupported }
