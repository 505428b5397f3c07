//go:build !linux

package park

import "errors"

// supported says that sessions can park on this system.
const supported = false

func newPoller() (poller, error) { return nil, errors.ErrUnsupported }
