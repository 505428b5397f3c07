//go:build unix

package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rxipc/rxipc/socket"
)

// roleKey is the environment variable that makes the test binary a server or a client. Its
// value is the role, the number of the process, the seed and the folder.
const roleKey = "RXIPC_FAULTS_ROLE"

var victim = socket.MustParseName("victim")

func TestMain(m *testing.M) {
	role := strings.SplitN(os.Getenv(roleKey), ":", 4)
	if len(role) != 4 {
		os.Exit(m.Run())
	}
	number, _ := strconv.ParseUint(role[1], 10, 32)
	seed, _ := strconv.ParseUint(role[2], 10, 64)
	switch dir := role[3]; role[0] {
	case "server":
		serve(dir, number)
	case "client":
		newClient(dir, number, seed).play()
	}
}

// scale is the size of the run.
type scale struct {
	duration time.Duration
	clients  int
	seed     uint64
	tcp      bool
}

func scaled(t *testing.T) scale {
	s := scale{duration: 2 * time.Second, clients: 24, seed: rand.Uint64()}
	read(t, "RXIPC_FAULTS", &s.duration, time.ParseDuration)
	read(t, "RXIPC_FAULTS_CLIENTS", &s.clients, strconv.Atoi)
	read(t, "RXIPC_FAULTS_SEED", &s.seed, func(text string) (uint64, error) { return strconv.ParseUint(text, 10, 64) })
	return s
}

func read[T any](t *testing.T, variable string, to *T, parse func(string) (T, error)) {
	text, found := os.LookupEnv(variable)
	if !found {
		return
	}
	value, err := parse(text)
	if err != nil {
		t.Fatalf("read the environment variable %s=%q: %v", variable, text, err)
	}
	*to = value
}

// TestFaults is the program. Function strike makes its faults.
func TestFaults(t *testing.T) { runFaults(t, scaled(t)) }

// TestFaultsOverTCP is the program with mutual TLS in place of unix sockets. No server hands over.
func TestFaultsOverTCP(t *testing.T) {
	s := scaled(t)
	s.tcp = true
	runFaults(t, s)
}

func runFaults(t *testing.T, s scale) {
	t.Parallel()
	t.Logf("seed %d, %v, %d clients", s.seed, s.duration, s.clients)
	w := newWorld(t, s)
	w.suffer(time.Now().Add(s.duration))
	w.end()
	w.judge()
	t.Log(w.table())
}

// suffer makes faults until the end.
func (w *world) suffer(end time.Time) {
	chance := rand.New(rand.NewPCG(w.seed, 0))
	pace := time.NewTicker(50 * time.Millisecond)
	defer pace.Stop()
	turn := min(max(w.duration/8, 500*time.Millisecond), 5*time.Second) // lifetime of a server
	next := time.Now().Add(turn)
	for now := range pace.C {
		w.resume(now)
		w.revive()
		switch {
		case now.After(end):
			return
		case now.After(next):
			next = now.Add(turn)
			w.replaceServer()
		default:
			w.strike(chance, now)
		}
	}
}

// strike kills a client, stops a process, or does nothing.
func (w *world) strike(chance *rand.Rand, now time.Time) {
	somebody := w.clients[chance.IntN(len(w.clients))]
	switch p := chance.Float64(); {
	case p < 0.15:
		somebody.kill()
		w.kills++
	case p < 0.25:
		w.stop(somebody, now.Add(time.Duration(chance.IntN(600))*time.Millisecond))
	case p < 0.28: // the queue of connections fills meanwhile
		w.stop(w.server, now.Add(time.Duration(chance.IntN(500))*time.Millisecond))
	}
}

// replaceServer replaces the server by the next. In turn it kills the server, ends it in good
// order, and makes it hand over.
func (w *world) replaceServer() {
	w.wake(w.server)
	switch w.server.number % 4 {
	case 0:
		from := time.Now()
		w.server.kill()
		w.killed = append(w.killed, span{from, time.Now().Add(w.unnoticed())})
		w.crashes++
	case 2:
		if !w.tcp {
			w.handOver()
			return
		}
		w.finishServer()
	default:
		w.finishServer()
	}
	w.startServer()
}

// unnoticed is the time in which a client may still send to a server that was killed. A write to a
// unix socket fails at once then. Over TCP it succeeds until the client has read of the end.
func (w *world) unnoticed() time.Duration {
	if w.tcp {
		return 10 * time.Second
	}
	return 0
}

// end ends the clients, checks the resources that the server still holds, and ends the server.
func (w *world) end() {
	for _, p := range w.paused {
		w.wake(p.child)
	}
	for _, c := range w.clients {
		c.signal(syscall.SIGTERM)
	}
	for _, c := range w.clients {
		w.takeReport(c)
	}
	w.awaitRest()
	w.finishServer()
}

// judge compares the acknowledged messages with the handled ones.
func (w *world) judge() {
	handled := w.handled()
	w.messages = len(handled)
	doubled := duplicates(handled)
	w.doubled = len(doubled)
	for number := range w.numbers {
		acknowledged := readJournal(w.t, w.dir, "client", uint64(number))
		w.acknowledged += len(acknowledged)
		w.lost += len(missing(acknowledged, handled))
	}
	if w.lost > 0 || w.doubled > 0 {
		w.t.Errorf("compare journals: %d acknowledged messages were not handled, %d were handled twice, want none", w.lost, w.doubled)
	}
	for generation := range w.generation {
		if damaged := readJournal(w.t, w.dir, "damaged", uint64(generation)); len(damaged) > 0 {
			w.t.Errorf("server %d: %d messages are damaged, the first of %d bytes, want none", generation, len(damaged), damaged[0])
		}
	}
	if w.acknowledged == 0 {
		w.t.Error("compare journals: no message was acknowledged, want some")
	}
	failed := unexcused(w.failed, w.killed)
	for _, f := range failed[:min(len(failed), 5)] {
		w.t.Errorf("request of a pool: it failed after %[2]v with %[1]d messages sent, want failures only while a server is killed: %[3]s", f.Sent, f.To.Sub(f.From), f.Text)
	}
}

// table returns a table of the run in Markdown.
func (w *world) table() string {
	var b strings.Builder
	row := func(what string, format string, arguments ...any) {
		fmt.Fprintf(&b, "\n| %-37s | %s |", what, fmt.Sprintf(format, arguments...))
	}
	b.WriteString("\n| quantity | value |\n|---|---|")
	row("seed", "%d", w.seed)
	row("duration, clients at a time", "%v, %d", w.duration, w.clientCount)
	row("client processes in all", "%d", w.numbers)
	row("clients killed", "%d", w.kills)
	row("processes stopped for a while", "%d", w.stops)
	row("servers killed, ended, handed over", "%d, %d, %d", w.crashes, w.endings, w.handOvers)
	for _, session := range sessions {
		row("sessions: "+session.name, "%d", w.played[session.name])
	}
	row("messages handled", "%d", w.messages)
	row("messages acknowledged to clients", "%d", w.acknowledged)
	row("messages not acknowledged", "%d", w.played["unacknowledged"])
	row("requests answered by a pool", "%d", w.played["answered by a pool"])
	row("failed while a server was killed", "%d", len(w.failed)-len(unexcused(w.failed, w.killed)))
	row("failed otherwise", "%d", len(unexcused(w.failed, w.killed)))
	row("acknowledged messages lost", "%d", w.lost)
	row("messages handled twice", "%d", w.doubled)
	row("last server: descriptors", "%d before, %d after", w.before.Descriptors, w.after.Descriptors)
	row("last server: goroutines", "%d before, %d after", w.before.Goroutines, w.after.Goroutines)
	row("last server: heap in use, KiB", "%d before, %d after", w.before.Heap>>10, w.after.Heap>>10)
	row("highest memory of a server, MiB", "%d", w.peak>>20)
	return b.String()
}
