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

// world holds all processes and their results.
type world struct {
	t *testing.T
	scale
	dir         string
	clientCount int

	server     *child
	generation int
	clients    []*child
	numbers    int // number of client processes so far
	paused     []stopped

	kills, stops, crashes, endings int
	handOvers                      int
	played                         map[string]int // sessions by name, and unacknowledged messages
	killed                         []span         // the times at which servers were killed
	failed                         []failure      // failed requests of pools
	before, after                  census         // resources of the last server
	peak                           uint64         // highest memory of a server, bytes

	messages, acknowledged, lost, doubled int
}

// stopped is a process that received SIGSTOP.
type stopped struct {
	child *child
	until time.Time
}

func newWorld(t *testing.T, s scale) *world {
	dir, err := os.MkdirTemp("", "rxf") // short, because it is part of the path of a socket
	if err != nil {
		t.Fatalf("make a folder for the run: %v", err)
	}
	w := &world{t: t, scale: s, dir: dir, clientCount: s.clients, played: make(map[string]int)}
	t.Cleanup(func() {
		for _, c := range append(w.clients, w.server) {
			c.kill()
		}
		os.RemoveAll(dir)
	})
	if s.tcp {
		setUpTCP(t, dir)
	}
	w.startServer()
	for range s.clients {
		w.clients = append(w.clients, w.startClient())
	}
	return w
}

func (w *world) startServer() {
	w.server = w.start("server", w.generation)
	w.generation++
	w.before = w.server.nextCensus() // a server reports its census when it listens
}

func (w *world) startClient() *child {
	w.numbers++
	return w.start("client", w.numbers-1)
}

// finishServer ends the server in good order.
func (w *world) finishServer() {
	w.server.signal(syscall.SIGTERM)
	for {
		line, ok := w.server.line()
		if !ok {
			w.t.Errorf("end server %d: it ended without a report of its carry", w.server.number)
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

// handOver makes the server hand over to the next server, which is its child process, and end.
func (w *world) handOver() {
	w.server.signal(syscall.SIGHUP)
	var successor *child
	for ended := false; !ended || successor == nil; {
		line, ok := w.server.line()
		switch {
		case !ok:
			w.t.Fatalf("make server %d hand over: it ended without a successor", w.server.number)
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

// compare compares the carry of the server with the messages that it handled.
func (w *world) compare(carry tally) {
	if handled := tallyOf(readJournal(w.t, w.dir, "server", uint64(w.server.number))); carry != handled {
		w.t.Errorf("server %d: the carry is %v, want that of the handled messages, %v", w.server.number, carry, handled)
	}
}

// awaitRest waits until the server holds no resources of its clients.
func (w *world) awaitRest() {
	for patience := time.Now().Add(30 * time.Second); time.Now().Before(patience); {
		w.after = w.server.census()
		if w.after.Goroutines <= w.before.Goroutines && w.after.Descriptors <= w.before.Descriptors {
			break
		}
	}
	w.after = w.server.census() // connections that ended after the last census were not collected yet
	if w.after.Goroutines > w.before.Goroutines || w.after.Descriptors > w.before.Descriptors {
		w.t.Errorf("all clients have left: the server has %+v, want at most %+v, as before\n%s", w.after, w.before, w.server.stacks())
	}
	if w.after.Heap > w.before.Heap+4<<20 {
		w.t.Errorf("all clients have left: the server has %d bytes in use, want about %d, as before", w.after.Heap, w.before.Heap)
	}
}

// revive replaces the clients that were killed.
func (w *world) revive() {
	for i, c := range w.clients {
		if c.dead {
			w.clients[i] = w.startClient()
		}
	}
}

// stop stops a process until a time, unless it is stopped already.
func (w *world) stop(c *child, until time.Time) {
	if c.dead || slices.ContainsFunc(w.paused, func(p stopped) bool { return p.child == c }) {
		return
	}
	c.signal(syscall.SIGSTOP)
	w.paused = append(w.paused, stopped{c, until})
	w.stops++
}

// resume continues the stopped processes whose time is over.
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

// takeReport reads the report of a client that has finished.
func (w *world) takeReport(c *child) {
	last, ok := c.line()
	c.wait()
	if c.dead && !ok {
		return // killed
	}
	if !ok || last.Played == nil {
		w.t.Errorf("end client %d: it ended without a report", c.number)
		return
	}
	for session, n := range last.Played {
		w.played[session] += n
	}
	w.failed = append(w.failed, last.Failed...)
	if last.Left != "" {
		w.t.Errorf("end client %d: resources remain: %s", c.number, last.Left)
	}
}

// handled returns the numbers of the messages that all servers have handled, sorted.
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
	Listens int            // of a server: its process ID
	Carry   *tally         // of a server that has ended
	Played  map[string]int // of a client
	Failed  []failure      // of a client
	Left    string         // of a client: the resources that remain
	Stacks  string         // of a server that received SIGUSR2
}

// census is the resources of a server at one time.
type census struct {
	Descriptors, Goroutines int
	Heap, Memory            uint64 // in bytes: in use, and of the process
}

// child is a process of this binary.
type child struct {
	world   *world
	number  int
	cmd     *exec.Cmd // nil for a successor, which its predecessor started
	process *os.Process
	out     *os.File // its output; nil once the successor has it
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

// roleOf returns the environment variable that gives a process its role.
func roleOf(role string, number int, seed uint64, dir string) string {
	return fmt.Sprintf("%s=%s:%d:%d:%s", roleKey, role, number, seed, dir)
}

// line reads the next line that the process prints.
func (c *child) line() (r report, ok bool) {
	if !c.lines.Scan() {
		return r, false
	}
	if err := json.Unmarshal(c.lines.Bytes(), &r); err != nil {
		c.world.t.Errorf("read a report: %q is not JSON: %v", c.lines.Bytes(), err)
		return r, false
	}
	if r.Census != nil {
		c.world.peak = max(c.world.peak, r.Census.Memory)
	}
	return r, true
}

// census asks the server for its census.
func (c *child) census() census {
	c.signal(syscall.SIGUSR1)
	return c.nextCensus()
}

func (c *child) nextCensus() census {
	for {
		r, ok := c.line()
		if !ok {
			c.world.t.Fatalf("wait for the census of server %d: it has ended", c.number)
		}
		if r.Census != nil {
			return *r.Census
		}
	}
}

// stacks returns the stacks of the server's goroutines.
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

// wait waits until the process has ended. A successor is not a child of this process, so wait
// reads its output to the end instead.
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
