//go:build unix

package faults

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"
)

// world is all processes and what is known of them.
type world struct {
	t *testing.T
	scale
	dir         string
	clientCount int

	server     *child
	generation int
	clients    []*child
	numbers    int // of client processes so far
	paused     []stopped

	kills, stops, crashes, endings int
	handOvers                      int
	played                         map[string]int // sessions by name, and unacknowledged messages
	killed                         []span         // when servers were
	failed                         []failure      // requests of pools
	before, after                  census         // of the last server
	peak                           uint64         // memory of a server, bytes

	messages, acknowledged, lost, doubled int
}

// stopped is a process that was stopped.
type stopped struct {
	child *child
	until time.Time
}

func newWorld(t *testing.T, s scale) *world {
	dir, err := os.MkdirTemp("", "rxf") // short: it goes into the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, scale: s, dir: dir, clientCount: s.clients, played: make(map[string]int)}
	t.Cleanup(func() {
		for _, c := range append(w.clients, w.server) {
			c.kill()
		}
		os.RemoveAll(dir)
	})
	w.startServer()
	for range s.clients {
		w.clients = append(w.clients, w.startClient())
	}
	return w
}

func (w *world) startServer() {
	w.server = w.start("server", w.generation)
	w.generation++
	w.before = w.server.nextCensus() // it takes one when it listens
}

func (w *world) startClient() *child {
	w.numbers++
	return w.start("client", w.numbers-1)
}

// finishServer ends the server in order.
func (w *world) finishServer() {
	w.server.signal(syscall.SIGTERM)
	for {
		line, ok := w.server.line()
		if !ok {
			w.t.Errorf("server %d ended without a word about its carry", w.server.number)
			break
		}
		if line.Carry != nil {
			w.compare(*line.Carry)
			break
		}
	}
	w.server.wait()
	w.endings++
}

// handOver has the server hand over to the next one, which is a child of it, and end.
func (w *world) handOver() {
	w.server.signal(syscall.SIGHUP)
	var successor *child
	for ended := false; !ended || successor == nil; {
		line, ok := w.server.line()
		switch {
		case !ok:
			w.t.Fatalf("server %d has ended, and did not hand over", w.server.number)
		case line.Carry != nil:
			w.compare(*line.Carry)
			ended = true
		case line.Listens != 0:
			process, err := os.FindProcess(line.Listens)
			if err != nil {
				w.t.Fatalf("find the successor: %v", err)
			}
			successor = &child{world: w, number: w.generation, process: process, out: w.server.out, lines: w.server.lines}
			w.before = *line.Census
		}
	}
	w.server.out = nil
	w.server.wait()
	w.server = successor
	w.generation++
	w.handOvers++
}

// compare compares what the server carried with what it handled.
func (w *world) compare(carry tally) {
	if handled := tallyOf(readJournal(w.t, w.dir, "server", uint64(w.server.number))); carry != handled {
		w.t.Errorf("server %d carried %v, but handled %v", w.server.number, carry, handled)
	}
}

// awaitRest waits until the server has nothing left of its clients.
func (w *world) awaitRest() {
	for patience := time.Now().Add(30 * time.Second); time.Now().Before(patience); {
		w.after = w.server.census()
		if w.after.Goroutines <= w.before.Goroutines && w.after.Descriptors <= w.before.Descriptors {
			break
		}
	}
	w.after = w.server.census() // the last connections may have ended after it had collected their garbage
	if w.after.Goroutines > w.before.Goroutines || w.after.Descriptors > w.before.Descriptors {
		w.t.Errorf("something is left in the server: %+v, %+v before\n%s", w.after, w.before, w.server.stacks())
	}
	if w.after.Heap > w.before.Heap+4<<20 {
		w.t.Errorf("memory is left in the server: %d bytes, %d before", w.after.Heap, w.before.Heap)
	}
}

// revive starts a client for each one that was killed.
func (w *world) revive() {
	for i, c := range w.clients {
		if c.dead {
			w.clients[i] = w.startClient()
		}
	}
}

// stop stops a process, unless it is stopped already.
func (w *world) stop(c *child, until time.Time) {
	if c.dead || slices.ContainsFunc(w.paused, func(p stopped) bool { return p.child == c }) {
		return
	}
	c.signal(syscall.SIGSTOP)
	w.paused = append(w.paused, stopped{c, until})
	w.stops++
}

// resume lets those go on whose time has come.
func (w *world) resume(now time.Time) {
	for _, p := range slices.Clone(w.paused) {
		if now.After(p.until) {
			w.wake(p.child)
		}
	}
}

func (w *world) wake(c *child) {
	c.signal(syscall.SIGCONT)
	w.paused = slices.DeleteFunc(slices.Clone(w.paused), func(p stopped) bool { return p.child == c })
}

// takeReport takes what a client says that has finished.
func (w *world) takeReport(c *child) {
	last, ok := c.line()
	c.wait()
	if c.dead && !ok {
		return // killed
	}
	if !ok || last.Played == nil {
		w.t.Errorf("client %d ended without a report", c.number)
		return
	}
	for session, n := range last.Played {
		w.played[session] += n
	}
	w.failed = append(w.failed, last.Failed...)
	if last.Left != "" {
		w.t.Errorf("something is left in client %d: %s", c.number, last.Left)
	}
}

// handled is what all servers have handled, in order of the messages' numbers.
func (w *world) handled() []uint64 {
	var all []uint64
	for generation := range w.generation {
		all = append(all, readJournal(w.t, w.dir, "server", uint64(generation))...)
	}
	slices.Sort(all)
	return all
}

// report is a line that a process prints.
type report struct {
	Census  *census        // of a server
	Listens int            // of a server: the number of its process
	Carry   *tally         // of a server that has ended
	Played  map[string]int // of a client
	Failed  []failure      // of a client
	Left    string         // in a client
	Stacks  string         // of a server that was asked for them
}

// census is what a server has at a time.
type census struct {
	Descriptors, Goroutines int
	Heap, Memory            uint64 // in bytes: in use, and of the process
}

// child is a process of this binary.
type child struct {
	world   *world
	number  int
	cmd     *exec.Cmd // nil for the child of another one, that handed over to it
	process *os.Process
	out     *os.File // what it prints; nil once a successor has it
	lines   *bufio.Scanner
	dead    bool
}

func (w *world) start(role string, number int) *child {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleOf(role, number, w.seed, w.dir))
	out, in, err := os.Pipe()
	if err != nil {
		w.t.Fatalf("make a pipe: %v", err)
	}
	defer in.Close()
	cmd.Stdout, cmd.Stderr = in, os.Stderr
	if err := cmd.Start(); err != nil {
		w.t.Fatalf("start a %s: %v", role, err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	return &child{world: w, number: number, cmd: cmd, process: cmd.Process, out: out, lines: lines}
}

// roleOf is the variable that gives a process its role.
func roleOf(role string, number int, seed uint64, dir string) string {
	return fmt.Sprintf("%s=%s:%d:%d:%s", roleKey, role, number, seed, dir)
}

// line reads the next line that the process prints.
func (c *child) line() (r report, ok bool) {
	if !c.lines.Scan() {
		return r, false
	}
	if err := json.Unmarshal(c.lines.Bytes(), &r); err != nil {
		c.world.t.Errorf("a process printed %q: %v", c.lines.Bytes(), err)
		return r, false
	}
	if r.Census != nil {
		c.world.peak = max(c.world.peak, r.Census.Memory)
	}
	return r, true
}

// census asks a server for one.
func (c *child) census() census {
	c.signal(syscall.SIGUSR1)
	return c.nextCensus()
}

func (c *child) nextCensus() census {
	for {
		r, ok := c.line()
		if !ok {
			c.world.t.Fatalf("server %d is gone", c.number)
		}
		if r.Census != nil {
			return *r.Census
		}
	}
}

// stacks are those of a server's goroutines.
func (c *child) stacks() string {
	c.signal(syscall.SIGUSR2)
	for {
		r, ok := c.line()
		if !ok || r.Stacks != "" {
			return r.Stacks
		}
	}
}

func (c *child) signal(signal os.Signal) { _ = c.process.Signal(signal) }

func (c *child) kill() {
	if !c.dead {
		_ = c.process.Kill()
		c.wait()
	}
}

// wait waits until the process has ended. That of a successor can print no more then.
func (c *child) wait() {
	if c.dead {
		return
	}
	c.dead = true
	if c.cmd != nil {
		_ = c.cmd.Wait()
	} else {
		_, _ = io.Copy(io.Discard, c.out)
	}
	if c.out != nil {
		c.out.Close()
	}
}

// say prints a report.
func say(r report) {
	line, err := json.Marshal(r)
	if err == nil {
		_, err = os.Stdout.Write(append(line, '\n'))
	}
	if err != nil {
		panic(err)
	}
}
