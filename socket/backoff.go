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

// keepUp returns the rules for keeping a connection up: policy, with defaults filled in.
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

// keeping is the rules for keeping a connection up.
type keeping struct {
	policy operators.RetryPolicy
	told   bool // wait for news of a server, where the transport gives them, instead of Delay
}

// reach connects once. While nobody listens and the transport gives news of servers, it waits
// for news and tries again. Each failure goes to failed, which returns the error for the
// caller, or nil if the connection is not wanted any more. Then reach returns nil, nil.
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
