package streamtest

// Option tells a check what to expect of an observable or operator that is not
// plain: one whose values come in a known order, up to a completion.
type Option func(*config)

type config struct {
	unordered      bool
	endless        bool
	fails          error
	losesOnFailure bool
	recovers       bool
	readAhead      int
	unlimited      bool
}

// Unordered lets the values come in any order.
func Unordered() Option { return func(c *config) { c.unordered = true } }

// Endless says that the observable does not end by itself after the expected
// values: they are the first of it.
func Endless() Option { return func(c *config) { c.endless = true } }

// Fails says that the observable fails after the expected values, with an error
// that is err.
func Fails(err error) Option { return func(c *config) { c.fails = err } }

// LosesOnFailure says that a failure of the source may cost values that would
// have come otherwise: the operator holds them back until the source completes, or
// gets them from others that it cancels then.
func LosesOnFailure() Option { return func(c *config) { c.losesOnFailure = true } }

// Recovers says that the operator does not hand on a failure of its source. More
// values may follow those that came before it.
func Recovers() Option { return func(c *config) { c.recovers = true } }

// ReadAhead says how many values more than it has needed so far an operator may
// read from its source while yield is at work. The default is none. Less than
// none says that it reads on and drops what it cannot deliver: which values is for
// the operator's own tests to check, that it keeps few is checked.
func ReadAhead(values int) Option { return func(c *config) { c.readAhead = values } }

// Unlimited says that the operator reads its source as fast as it goes and drops
// nothing, like a flat map that was given no limit.
func Unlimited() Option { return func(c *config) { c.unlimited = true } }

func configured(options []Option) config {
	var c config
	for _, option := range options {
		option(&c)
	}
	return c
}
