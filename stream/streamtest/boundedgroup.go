package streamtest

import (
	"sync"
	"time"
)

// boundedGroup is a group of goroutines; the wait for them has a limit.
type boundedGroup struct {
	mu  sync.Mutex
	all []<-chan struct{} // closed when one ends
}

// Go starts one.
func (c *boundedGroup) Go(f func()) {
	ended := make(chan struct{})
	c.mu.Lock()
	c.all = append(c.all, ended)
	c.mu.Unlock()
	go func() {
		defer close(ended)
		f()
	}()
}

// wait reports whether all have ended within the limit of the bench.
func (c *boundedGroup) wait(b *Bench) bool {
	end := time.Now().Add(b.timeout())
	for i := 0; ; i++ {
		c.mu.Lock()
		if i == len(c.all) {
			c.mu.Unlock()
			return true
		}
		next := c.all[i]
		c.mu.Unlock()
		if !b.within(time.Until(end), next) {
			return false
		}
	}
}
