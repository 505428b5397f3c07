package socket

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/rxipc/rxipc/operators"
)

// What a [Pool] and [IPC.Follow] wait before they connect again, unless their policy says
// otherwise: to look for a socket costs little.
const (
	firstDelay   = 10 * time.Millisecond
	longestDelay = time.Second
)

// keepUp says how to keep a connection up by the policy that a user gave.
func keepUp(policy operators.RetryPolicy) keeping {
	told := policy.Delay == 0 && policy.Times == 0
	policy.Delay = cmp.Or(policy.Delay, firstDelay)
	policy.MaxDelay = cmp.Or(policy.MaxDelay, max(longestDelay, policy.Delay))
	policy.ResetOnValue = true
	if policy.If == nil {
		policy.If = isPassingLoss
	}
	return keeping{policy, told}
}

// keeping is how a connection is kept up.
type keeping struct {
	policy operators.RetryPolicy
	told   bool // news of a server are waited for, rather than Delay
}

// reach connects once. While nobody listens it waits for a server, and tries again, if the
// transport tells of one. failed gets each failure, and returns what the caller is to know of
// it, or nil if the connection is not wanted any more: then there is none, and no error.
func (ipc *IPC) reach(ctx context.Context, name Name, k keeping, failed func(error) error) (*Process, error) {
	waiting := patience{transport: ipc.config.Transport, name: name}
	defer waiting.stop()
	for {
		p, err := ipc.try(ctx, name)
		if err == nil {
			return p, nil
		}
		told := k.told && waiting.isTold(err)
		if err = failed(err); err == nil || !told || !k.policy.If(err) {
			return nil, err
		}
		if err := waiting.rest(ctx, err); err != nil {
			return nil, err
		}
	}
}

// isPassingLoss reports whether a connection that is to be kept up is made again after a
// failure. A server that is too slow, overloaded or stopped, may be better next time;
// ConnectTo takes one for no server of ours, since that has not even greeted.
func isPassingLoss(err error) bool { return comesBack(err) || errors.Is(err, ErrTooSlow) }
