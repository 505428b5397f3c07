package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
)

// serveEach runs a program for each connection, until the context ends.
func (o *options) serveEach(command *cobra.Command, name socket.Name, push bool, mediaType string, program []string) error {
	fixed, err := (&input{mediaType: mediaType}).parse()
	if err != nil {
		return err
	}
	if len(program) == 0 || command.Flags().Changed("answer") || !command.Flags().Changed("each-connection") {
		return fmt.Errorf("%w: --each-connection runs a program, behind --, and has no --answer; --push belongs to it", errUsage)
	}
	if _, err := exec.LookPath(program[0]); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	var running sync.Map // of *session, by *socket.Connection
	defer running.Range(func(_, s any) bool { <-s.(*session).over; return true })
	begin := operators.Tap(func(c *socket.Connection) {
		s := newSession(o.lines(fixed), c, push, program, command.ErrOrStderr())
		running.Store(c, s)
		context.AfterFunc(c.Context(), func() { <-s.over; running.Delete(c) })
	})
	served := socket.ServeConnections(begin(o.ipc().Listen(name)), fold.Unit()).With(command.Context(),
		func(m socket.Message, c socket.Continuation[struct{}], _ struct{}) socket.Continuation[struct{}] {
			var answer socket.Message
			var some bool
			s, err := sessionOf(&running, c.Connection())
			if err == nil {
				answer, some, err = s.handle(c.Context(), m)
			}
			switch {
			case err != nil:
				fmt.Fprintln(command.ErrOrStderr(), "rxipc: message rejected:", err)
				return c.Reject(err)
			case some:
				return c.Respond(answer)
			}
			return c
		})
	return served.Err()
}

// sessionOf returns the session of a connection. It fails if both have ended while a message was on
// its way to the handler.
func sessionOf(running *sync.Map, c *socket.Connection) (*session, error) {
	s, ok := running.Load(c)
	if !ok {
		return nil, errors.New("the connection has ended, and its program")
	}
	return s.(*session), nil
}

// lines turns messages into lines of a program, and back.
type lines struct {
	json  bool
	fixed socket.MediaType
}

func (o *options) lines(fixed socket.MediaType) lines { return lines{o.json, fixed} }

func (l lines) of(m socket.Message) string {
	if !l.json {
		return strings.TrimSuffix(m.Content(), "\n") + "\n"
	}
	var line strings.Builder
	printJSON(&line, objectOf(m))
	return line.String()
}

func (l lines) message(line string) (socket.Message, error) {
	if !l.json {
		return message(l.fixed, "", strings.TrimSuffix(line, "\n")), nil
	}
	var object messageObject
	if err := json.Unmarshal([]byte(line), &object); err != nil {
		return socket.Message{}, fmt.Errorf("the program printed no JSON: %w", err)
	}
	content := ""
	switch {
	case object.Content != nil:
		content = *object.Content
	case object.Base64 != nil:
		bytes, err := base64.StdEncoding.DecodeString(*object.Base64)
		if err != nil {
			return socket.Message{}, fmt.Errorf("the program printed wrong base64: %w", err)
		}
		content = string(bytes)
	}
	return message(l.fixed, object.MediaType, content), nil
}

// session is the program of a connection.
type session struct {
	lines
	connection *socket.Connection
	push       bool
	name       string
	input      io.Writer
	over       chan struct{} // closed when the program has ended
	err        error         // why it ended, after over

	mu      sync.Mutex
	waiting chan string // gets the next line; nil: no message waits for one
}

// endingTime is how long a program may go on when its connection has ended. Then it is killed.
const endingTime = 5 * time.Second

// newSession starts a program that runs until its connection ends. When the program ends first, the
// connection is closed.
func newSession(l lines, c *socket.Connection, push bool, program []string, errs io.Writer) *session {
	s := &session{lines: l, connection: c, push: push, name: program[0], over: make(chan struct{})}
	cmd := exec.CommandContext(c.Context(), program[0], program[1:]...)
	cmd.Stderr = errs
	cmd.Env = os.Environ()
	if peer, known := c.Peer().Get(); known {
		cmd.Env = append(cmd.Env, fmt.Sprintf("RXIPC_PEER_PID=%d", peer.PID))
	}
	input, err := cmd.StdinPipe()
	var output io.ReadCloser
	if err == nil {
		output, err = cmd.StdoutPipe()
	}
	if err == nil {
		cmd.Cancel = input.Close // most programs end with their input
		cmd.WaitDelay = endingTime
		s.input, err = input, cmd.Start()
	}
	if err != nil {
		s.err = err
		close(s.over)
		c.Close()
		return s
	}
	go func() {
		defer c.Close()
		defer close(s.over) // before, so that a message that waits gets the reason
		failure := s.read(output)
		if failure != nil {
			cmd.Process.Kill()
		}
		s.err = errors.Join(failure, cmd.Wait())
		if s.err != nil && c.Context().Err() == nil {
			fmt.Fprintf(errs, "rxipc: %s: %v\n", s.name, s.err)
		}
	}()
	return s
}

// read gives each line that the program prints to the message that waits for it, or pushes it.
func (s *session) read(output io.Reader) error {
	for in := bufio.NewReader(output); ; {
		line, err := in.ReadString('\n')
		if line != "" && !s.answered(line) {
			m, err := s.message(line)
			if err != nil {
				return err
			}
			if s.connection.Send(s.connection.Context(), m) != nil {
				return nil // the connection has ended, and with it the program
			}
		}
		if err != nil {
			return nil
		}
	}
}

// answered gives a line to the message that waits for it, if there is one.
func (s *session) answered(line string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == nil {
		return false
	}
	s.waiting <- line
	s.waiting = nil
	return true
}

// handle gives a message to the program, and returns its answer unless answers are pushed.
func (s *session) handle(ctx context.Context, m socket.Message) (answer socket.Message, some bool, err error) {
	next := make(chan string, 1)
	if !s.push {
		s.mu.Lock()
		s.waiting = next
		s.mu.Unlock()
	}
	if s.input == nil {
		return answer, false, s.ended()
	}
	if _, err := io.WriteString(s.input, s.of(m)); err != nil {
		<-s.over
		return answer, false, s.ended()
	}
	if s.push {
		return answer, false, nil
	}
	select {
	case line := <-next:
		return s.respond(line)
	case <-s.over:
	case <-ctx.Done():
	}
	select {
	case line := <-next: // its last one
		return s.respond(line)
	case <-s.over:
		return answer, false, s.ended()
	default:
		return answer, false, context.Cause(ctx)
	}
}

func (s *session) respond(line string) (socket.Message, bool, error) {
	answer, err := s.message(line)
	return answer, err == nil, err
}

// ended is the error of a message that the program did not answer.
func (s *session) ended() error {
	if s.err != nil {
		return fmt.Errorf("%s: %w", s.name, s.err)
	}
	return fmt.Errorf("%s has ended", s.name)
}
