package streamtest

import (
	"sync"
	"time"
)

// crew are goroutines that can be waited for in vain.
type crew struct {
	mu  sync.Mutex
	all []<-chan struct{} // closed when one ends
}

// Go starts one.
func (c *crew) Go(f func()) {
	ended := make(chan struct{})
	c.mu.Lock()
	c.all = append(c.all, ended)
	c.mu.Unlock()
	go func() {
		defer close(ended)
		f()
	}()
}

// wait reports whether all have ended in the bench's patience.
func (c *crew) wait(b *Bench) bool {
	end := time.Now().Add(b.patience())
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
