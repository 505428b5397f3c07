package rpc

import (
	"sync"
	"sync/atomic"
)

// maxIdle is how many goroutines of a run wait for further handlers to run.
const maxIdle = 16

// workers runs functions of jobs on goroutines. A goroutine that is done waits for the next job, so
// that a job finds a stack that has grown: it costs a handler of JSON a tenth of its time to grow
// one. The number of jobs at a time is limited by those who give them.
type workers[J any] struct {
	run    func(J)
	jobs   chan J
	idle   atomic.Int32 // goroutines that wait for a job, or are about to
	joined sync.WaitGroup
}

func newWorkers[J any](run func(J)) *workers[J] { return &workers[J]{run: run, jobs: make(chan J)} }

// do runs a job on a goroutine. It does not wait for it.
func (w *workers[J]) do(job J) {
	select {
	case w.jobs <- job:
	default:
		w.joined.Go(func() { w.work(job) })
	}
}

func (w *workers[J]) work(job J) {
	for {
		w.run(job)
		if w.idle.Add(1) > maxIdle {
			w.idle.Add(-1)
			return
		}
		next, ok := <-w.jobs
		w.idle.Add(-1)
		if !ok {
			return
		}
		job = next
	}
}

// wait returns when all jobs are done. No further ones may be given.
func (w *workers[J]) wait() {
	close(w.jobs)
	w.joined.Wait()
}
