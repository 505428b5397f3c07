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

// childKey is the variable that makes this program the server process; it holds an
// assignment.
const childKey = "RXIPC_BENCHMARK_SERVER"

// assignment is what a server process is told to be.
type assignment struct {
	Peer string
	Dir  string
	Job  job
}

func (a assignment) place() place { return place{dir: a.Dir, path: filepath.Join(a.Dir, "socket")} }

// What a server process is asked on its standard input, a line each; it answers
// each with its usage, in JSON.
const (
	askUsage   = "usage\n"
	askSettled = "settled\n" // after it has collected its garbage
)

// ServeIfChild is for the beginning of main: in a process that was started as a
// server it serves, and does not return.
func ServeIfChild() {
	text, ok := os.LookupEnv(childKey)
	if !ok {
		return
	}
	if err := serveAssigned(text); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serveAssigned serves until the standard input ends.
func serveAssigned(text string) error {
	var a assignment
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return err
	}
	i := slices.IndexFunc(allPeers, func(p peer) bool { return p.id == a.Peer })
	if i < 0 {
		return fmt.Errorf("there is no peer %q", a.Peer)
	}
	ended := make(chan error, 2)
	go func() {
		err := allPeers[i].serve(a.place(), a.Job, func() { fmt.Println("ready") })
		ended <- fmt.Errorf("%s has ended: %w", a.Peer, err)
	}()
	go func() { ended <- answerQuestions() }()
	return <-ended
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

// server is a server process.
type server struct {
	place
	process   *exec.Cmd
	questions io.WriteCloser
	answers   *bufio.Reader
}

// startServer starts the server of a peer, and returns once it listens.
func startServer(p peer, job job) (_ *server, err error) {
	dir, err := os.MkdirTemp("", "rxipc-bench")
	if err != nil {
		return nil, err
	}
	a := assignment{Peer: p.id, Dir: dir, Job: job}
	text, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	s := &server{place: a.place()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	process := exec.Command(self)
	process.Env = append(os.Environ(), childKey+"="+string(text))
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
	s.process, s.questions, s.answers = process, questions, bufio.NewReader(answers)
	line, err := s.answers.ReadString('\n')
	if err == nil && line != "ready\n" {
		err = fmt.Errorf("the server says %q", line)
	}
	return s, err
}

// usage asks the server what it has used and received.
func (s *server) usage(question string) (u usage, err error) {
	if _, err := io.WriteString(s.questions, question); err != nil {
		return u, err
	}
	answer, err := s.answers.ReadBytes('\n')
	if err != nil {
		return u, err
	}
	return u, json.Unmarshal(answer, &u)
}

// stop ends the server process and removes what it leaves behind.
func (s *server) stop() error {
	var failure error
	if s.process != nil {
		s.questions.Close()
		failure = s.process.Wait()
	}
	return errors.Join(failure, os.RemoveAll(s.dir))
}
