package socket

import (
	"cmp"
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

// keepUp makes the policy of a connection that is to be kept up of what a user gave.
func keepUp(policy operators.RetryPolicy) operators.RetryPolicy {
	policy.Delay = cmp.Or(policy.Delay, firstDelay)
	policy.MaxDelay = cmp.Or(policy.MaxDelay, max(longestDelay, policy.Delay))
	policy.ResetOnValue = true
	if policy.If == nil {
		policy.If = isPassingLoss
	}
	return policy
}

// isPassingLoss reports whether a connection that is to be kept up is made again after a
// failure. A server that is too slow, overloaded or stopped, may be better next time;
// ConnectTo takes one for no server of ours, since that has not even greeted.
func isPassingLoss(err error) bool { return comesBack(err) || errors.Is(err, ErrTooSlow) }
