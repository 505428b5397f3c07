package sockets

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

// usage is the resource usage of a process, and the tally of its messages.
type usage struct {
	Allocations uint64
	CPU         time.Duration // user and system
	Heap        uint64        // heap and stacks in use, in bytes
	Resident    uint64        // resident memory according to the system, in bytes

	Messages, Last, Changes uint64 // see tally
}

func use() (u usage, err error) {
	var times syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &times); err != nil {
		return u, err
	}
	u.CPU = time.Duration(times.Utime.Nano() + times.Stime.Nano())
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	u.Allocations = memory.Mallocs
	u.Heap = memory.HeapInuse + memory.StackInuse
	u.Resident, err = resident()
	u.Messages, u.Last, u.Changes = received.messages.Load(), received.last.Load(), received.changes.Load()
	return u, err
}

// settle collects all garbage, including the contents of pools, and returns the memory to the
// system.
func settle() {
	runtime.GC()
	runtime.GC()
	debug.FreeOSMemory()
}

// resident returns the resident memory: the second number of statm, in pages (proc(5)).
func resident() (uint64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var size, pages uint64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		return 0, err
	}
	return pages * uint64(os.Getpagesize()), nil
}

// allowDescriptors raises the limit of open files of this process, and of the processes that it
// starts, so that they may open the connections.
func allowDescriptors(connections int) error {
	need := uint64(connections) + 200 // for all other files
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Cur >= need {
		return nil
	}
	raised := syscall.Rlimit{Cur: need, Max: max(limit.Max, need)}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised); err != nil {
		return fmt.Errorf("raise the limit of open files: %d connections need %d, the limit is %d; raise it with ulimit -n: %w",
			connections, need, limit.Cur, err)
	}
	return nil
}
