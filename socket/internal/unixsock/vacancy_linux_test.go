package unixsock

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// patient is a place whose waiters try again only after news.
func patient(dir string) *Place {
	p := New(Options{Dir: dir})
	p.quiet = time.Hour
	return p
}

// waiting begins to listen on counter when it is free. It returns once the call waits.
func waiting(t *testing.T, p *Place) (outcome func() (*Listener, error)) {
	t.Helper()
	var listener *Listener
	var err error
	ended := make(chan struct{})
	before := p.departures.Waiters()
	go func() {
		defer close(ended)
		listener, err = p.ListenWhenFree(within(t), counter)
	}()
	for p.departures.Waiters() < before+2 {
		select {
		case <-ended:
			t.Fatalf("listening on a name in use: %v, want that it waits", err)
		case <-time.After(time.Millisecond):
		}
	}
	return func() (*Listener, error) {
		<-ended
		if err == nil {
			t.Cleanup(func() { listener.Close() })
		}
		return listener, err
	}
}

func TestListenWhenFreeAfterAnOrderlyEnd(t *testing.T) {
	dir := shortDir(t)
	first := mustListen(t, Options{Dir: dir}, counter)
	p := patient(dir)
	outcome := waiting(t, p)
	must(t, "closing the first listener", first.Close())
	if _, err := outcome(); err != nil {
		t.Errorf("listening after the first server's end: %v, want no error", err)
	}
	if n := p.departures.Waiters(); n != 0 {
		t.Errorf("%d waiters are left, want none", n)
	}
}

func TestListenWhenFreeAfterAKill(t *testing.T) {
	dir := shortDir(t)
	holder := exec.Command(os.Args[0])
	holder.Env = append(os.Environ(), holderKey+"="+dir)
	out, err := holder.StdoutPipe()
	must(t, "making a pipe", err)
	must(t, "starting a server", holder.Start())
	if _, err := out.Read(make([]byte, 100)); err != nil {
		t.Fatalf("waiting for the server: %v", err)
	}
	outcome := waiting(t, patient(dir))
	must(t, "killing the server", holder.Process.Kill())
	holder.Wait()
	if _, err := outcome(); err != nil {
		t.Errorf("listening after the server was killed: %v, want no error", err)
	}
}

func TestListenWhenFreeAfterAServerWithoutALock(t *testing.T) {
	dir := shortDir(t)
	foreign := listenForeign(t, filepath.Join(dir, counter+socketSuffix))
	go func() {
		for {
			conn, err := foreign.Accept()
			if err != nil {
				return
			}
			conn.Close() // it is alive, as a probe sees
		}
	}()
	first, second := waiting(t, patient(dir)), waiting(t, patient(dir))
	must(t, "closing the server, which removes its socket", foreign.Close())
	winner := make(chan *Listener, 2)
	for _, outcome := range []func() (*Listener, error){first, second} {
		go func() {
			listener, err := outcome()
			if err != nil {
				t.Errorf("listening after the server's end: %v, want no error", err)
			}
			winner <- listener
		}()
	}
	for range 2 { // one after the other
		if listener := <-winner; listener != nil {
			must(t, "closing a listener", listener.Close())
		}
	}
}

func TestListenWhenFreeEndsWithItsContext(t *testing.T) {
	dir := shortDir(t)
	mustListen(t, Options{Dir: dir}, counter)
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	cancel(stopped)
	if _, err := patient(dir).ListenWhenFree(ctx, counter); !errors.Is(err, stopped) || !errors.Is(err, ErrInUse) {
		t.Errorf("waiting with a context that has ended: %v, want its cause and ErrInUse", err)
	}
}
