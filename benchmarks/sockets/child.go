package sockets

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// childKey is the environment variable that makes this program a child process. Its value is an
// assignment.
const childKey = "RXIPC_BENCHMARK_CHILD"

// assignment is the role of a child process: the server of a peer, or a client that holds idle
// connections to it.
type assignment struct {
	Peer string
	Dir  string
	Job  job
	Idle int // number of connections to hold; 0 for the server
	GOGC int // of the peer
}

func (a assignment) place() place { return place{dir: a.Dir, path: filepath.Join(a.Dir, "socket")} }

// The requests on the standard input of a child process, one per line. It answers each with its
// usage, in JSON.
const (
	askUsage   = "usage\n"
	askSettled = "settled\n" // after a garbage collection
)

// ServeIfChild must be called at the beginning of main. In a child process it runs the assignment
// and does not return.
func ServeIfChild() {
	text, ok := os.LookupEnv(childKey)
	if !ok {
		return
	}
	if err := workAssigned(text); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// workAssigned runs an assignment until the standard input ends.
func workAssigned(text string) error {
	var a assignment
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return err
	}
	i := slices.IndexFunc(allPeers, func(p peer) bool { return p.id == a.Peer })
	if i < 0 {
		return fmt.Errorf("start a child process: unknown peer %q", a.Peer)
	}
	ended := make(chan error, 2)
	go func() {
		err := a.work(allPeers[i], func() { fmt.Println("ready") })
		ended <- fmt.Errorf("%s has ended: %w", a.Peer, err)
	}()
	go func() { ended <- answerQuestions() }()
	return <-ended
}

// work runs the assignment until it fails.
func (a assignment) work(p peer, ready func()) error {
	if a.Idle > 0 {
		return holdIdle(p, a.place(), a.Idle, ready)
	}
	return p.serve(a.place(), a.Job, ready)
}

func answerQuestions() error {
	questions := bufio.NewReader(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for {
		question, err := questions.ReadString('\n')
		if err != nil {
			return unlessEOF(err)
		}
		if question == askSettled {
			settle()
		}
		usage, err := use()
		if err != nil {
			return err
		}
		if err := answers.Encode(usage); err != nil {
			return err
		}
	}
}

// child is a child process.
type child struct {
	process   *exec.Cmd
	questions io.WriteCloser
	answers   *bufio.Reader
}

// startChild starts a child process, and returns once it is ready.
func startChild(a assignment) (_ *child, err error) {
	text, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	process := exec.Command(self)
	process.Env = append(os.Environ(), childKey+"="+string(text))
	if a.GOGC > 0 {
		process.Env = append(process.Env, fmt.Sprint("GOGC=", a.GOGC))
	}
	process.Stderr = os.Stderr
	questions, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	c := &child{process, questions, bufio.NewReader(answers)}
	line, err := c.answers.ReadString('\n')
	if err == nil && line != "ready\n" {
		err = fmt.Errorf("start a child process: got the line %q, want \"ready\"", line)
	}
	if err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// usage returns the usage of the child.
func (c *child) usage(question string) (u usage, err error) {
	if _, err := io.WriteString(c.questions, question); err != nil {
		return u, err
	}
	answer, err := c.answers.ReadBytes('\n')
	if err != nil {
		return u, err
	}
	return u, json.Unmarshal(answer, &u)
}

// stop ends the child process.
func (c *child) stop() error {
	c.questions.Close()
	return c.process.Wait()
}

// server is a server process, in a folder of its own.
type server struct {
	place
	*child
}

// startServer starts the server of a peer, and returns once it listens.
func startServer(p peer, job job) (*server, error) {
	dir, err := os.MkdirTemp("", "rxipc-bench")
	if err != nil {
		return nil, err
	}
	a := assignment{Peer: p.id, Dir: dir, Job: job, GOGC: p.gogc}
	child, err := startChild(a)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &server{a.place(), child}, nil
}

// stop ends the server process and removes its folder.
func (s *server) stop() error { return errors.Join(s.child.stop(), os.RemoveAll(s.dir)) }
