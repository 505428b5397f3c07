package socket

import (
	"errors"
	"fmt"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// leastTime is the shortest duration that a Config accepts. A shorter one was probably meant
// in another unit.
const leastTime = time.Millisecond

// check returns all errors of a config: impossible values, values that contradict each other,
// and authorizers that refuse every peer.
func (c *Config) check() (err error) {
	if c.Dir != "" && c.Transport != nil {
		err = fmt.Errorf("%w: Config.Dir %s is not used with a Transport; Unix has a Dir of its own", ErrInvalid, wire.Quote(c.Dir))
	}
	if u, ok := c.Transport.(*Unix); ok && u == nil {
		err = errors.Join(err, fmt.Errorf("%w: Config.Transport is a nil *socket.Unix", ErrInvalid))
	}
	if c.Dialect > Dialect4 {
		err = errors.Join(err, fmt.Errorf("%w: Config.Dialect %d is neither Dialect5 nor Dialect4", ErrInvalid, c.Dialect))
	}
	for _, one := range []struct {
		field      string
		authorizer Authorizer
	}{{"Clients", c.Clients}, {"Servers", c.Servers}} {
		if one.authorizer == nil {
			continue
		}
		if wrong := one.authorizer.check(); wrong != nil {
			err = errors.Join(err, fmt.Errorf("in Config.%s: %w", one.field, wrong))
		}
	}
	for _, one := range []struct {
		field string
		value time.Duration
	}{
		{"Heartbeat", c.Heartbeat}, {"HandshakeTimeout", c.HandshakeTimeout},
		{"FrameTimeout", c.FrameTimeout}, {"WriteTimeout", c.WriteTimeout},
		{"SilenceTimeout", c.SilenceTimeout}, {"Grace", c.Grace},
	} {
		if 0 < one.value && one.value < leastTime {
			err = errors.Join(err, fmt.Errorf("%w: Config.%s is %v, less than %v", ErrInvalid, one.field, one.value, leastTime))
		}
	}
	return err
}
