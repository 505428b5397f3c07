//go:build !linux

package socket

import "errors"

// canPark reports whether a session that reads from a source may park: none does here.
func canPark(source) bool { return false }

func newPoller() (poller, error) { return nil, errors.ErrUnsupported }
