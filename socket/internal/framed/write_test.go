package framed

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/socket/internal/wire"
)

// owing are debts of one frame, which come to be owed when a test says so.
type owing struct {
	frame    string
	reminded int
}

func (o *owing) AddTo(out *wire.Output) {
	if o.frame != "" {
		out.AddFrames(o.frame)
	}
	o.frame = ""
}

func (o *owing) Remind() { o.reminded++ }

// state asserts what is known of the rest of a write.
func state(t *testing.T, c *Conn, after string, unfinished, due bool) {
	t.Helper()
	if c.Unfinished() != unfinished || c.FlushDue() != due {
		t.Errorf("%s: unfinished %v, due %v, want %v and %v", after, c.Unfinished(), c.FlushDue(), unfinished, due)
	}
}

func TestWriteThatEndsEarlyIsLeftToTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, theirs := newPipe(t, NewTimers(testLimits), nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		read := make(chan error, 10)
		go func() { read <- c.Fill(t.Context()) }()
		synctest.Wait()
		c.Lock(ctx)
		c.Out.AddFrames("first")
		begun, err := c.FlushSince(ctx, wire.Extent{})
		if begun || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("writing to nobody: begun %v, %v, want that it was dropped", begun, err)
		}
		c.Unlock()
		state(t, c, "after a write that was dropped", false, false)
		c.Lock(t.Context())
		c.Out.AddFrames("second")
		c.Unlock()
		if err := <-read; err != nil {
			t.Errorf("Fill of a reader that is to write the rest: got %v, want nil", err)
		}
		state(t, c, "after Unlock with bytes", true, false)
		c.SetFlushDue()
		state(t, c, "after SetFlushDue", true, true)
		go io.ReadFull(theirs, make([]byte, len("second")))
		if synctest.Wait(); !c.TryWrite(wire.NoControl) {
			t.Error("TryWrite finds the write lock taken that nobody has")
		}
		state(t, c, "after the rest was written", false, false)
		c.SetFlushDue()
		state(t, c, "after SetFlushDue of nothing", false, false)
	})
}

func TestWriteThatFailsIsLeftToNobody(t *testing.T) {
	c, theirs := newPipe(t, NewTimers(testLimits), nil)
	theirs.Close()
	c.Lock(t.Context())
	c.Out.AddFrames("lost")
	if err := c.Flush(t.Context()); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("writing to a pipe that is closed: got %v, want %v", err, io.ErrClosedPipe)
	}
	c.Unlock()
	state(t, c, "after a failure", false, false)
}

func TestDebtsLeaveWithTheNextWrite(t *testing.T) {
	debts := &owing{frame: "owed "}
	c, theirs := newPipe(t, NewTimers(testLimits), debts)
	got := make(chan string, 1)
	go func() {
		bytes, _ := io.ReadAll(theirs)
		got <- string(bytes)
	}()
	c.Lock(t.Context())
	c.Out.AddFrames("written ")
	debts.frame = "owed meanwhile "
	if err := c.Flush(t.Context()); err != nil {
		t.Errorf("flush what was added: got %v, want no error", err)
	}
	c.Unlock()
	if debts.reminded != 1 {
		t.Errorf("Unlock reminded %d times of debts, want once", debts.reminded)
	}
	for debts.frame != "" || c.Out.Len() > 0 { // the pipe may take it a moment later
		c.TryWrite(wire.NoControl)
	}
	c.Net.Close()
	if text := <-got; text != "owed written owed meanwhile " {
		t.Errorf("%q was written, want the debts before the frames of each write", text)
	}
}

func TestHeartbeatIsLeftOutBehindOtherFrames(t *testing.T) {
	c, theirs := newPipe(t, NewTimers(testLimits), nil)
	c.Out.AddFrames("other")
	got := make([]byte, 100)
	read := make(chan int)
	go func() {
		n, _ := theirs.Read(got)
		read <- n
	}()
	for c.Out.Len() > 0 { // a pipe has no room before somebody reads
		c.TryWrite(wire.KindHeartbeat)
	}
	if n := <-read; string(got[:n]) != "other" {
		t.Errorf("%q was written, want no heartbeat", got[:n])
	}
}

func TestInterruptMakesFillReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, theirs := newPipe(t, NewTimers(testLimits), nil)
		for what, interrupt := range map[string]func(){
			"before it": c.Interrupt,
			"during it": func() { time.AfterFunc(time.Second, c.Interrupt) },
		} {
			interrupt()
			if err := c.Fill(t.Context()); err != nil || !c.In.Idle() {
				t.Errorf("Fill with an Interrupt %s: got %v, want nil and nothing read", what, err)
			}
		}
		go theirs.Write([]byte{0})
		if err := c.Fill(t.Context()); err != nil || c.In.Idle() {
			t.Errorf("Fill after Interrupt was seen: got %v, want a byte", err)
		}
	})
}

func TestShutAndReleaseKeepNoContext(t *testing.T) {
	c, theirs := newPipe(t, NewTimers(testLimits), nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.Join(c)
	c.Lock(ctx)
	c.Out.AddFrames("x")
	go theirs.Read(make([]byte, 1))
	if err := c.Flush(ctx); err != nil {
		t.Errorf("flush what was added: got %v, want no error", err)
	}
	c.Unlock()
	go theirs.Write([]byte{0})
	if err := c.Fill(ctx); err != nil {
		t.Errorf("Fill: %v", err)
	}
	c.Net.Close()
	c.Shut()
	c.Release()
	if _, size := c.In.Buffered(); size > 0 || c.reads.release != nil || c.writes.release != nil || c.place != 0 {
		t.Errorf("a Conn that was shut keeps a buffer of %d bytes, contexts %v %v, or timers", size, c.reads.release != nil, c.writes.release != nil)
	}
	if err := c.Lock(ctx); err != nil {
		t.Errorf("Lock after Shut: got %v, want that the write fails instead", err)
	}
	if c.Out.AddFrames("y"); !errors.Is(c.Flush(ctx), io.ErrClosedPipe) && !errors.Is(c.Flush(ctx), net.ErrClosed) {
		t.Error("Flush after Shut does not fail, want that the connection is closed")
	}
}

// TestSharedWriteIsThatOfTheFirst has goroutines add frames in the same moment.
func TestSharedWriteIsThatOfTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, theirs := newPipe(t, NewTimers(testLimits), nil)
		read := make(chan int, 100)
		go func() {
			for buffer := make([]byte, 1000); ; {
				n, err := theirs.Read(buffer)
				if err != nil {
					close(read)
					return
				}
				read <- n
			}
		}()
		for range 50 {
			go func() {
				c.Lock(t.Context())
				c.Out.AddFrames("x")
				c.UnlockShared(t.Context())
			}()
		}
		synctest.Wait()
		state(t, c, "after all have written", false, false)
		c.Net.Close()
		bytes, writes := 0, 0
		for n := range read {
			bytes, writes = bytes+n, writes+1
		}
		if bytes != 50 || writes > 25 {
			t.Errorf("50 goroutines wrote %d bytes in %d writes, want 50 in a few", bytes, writes)
		}
	})
}

// TestSharedWriteThatIsGivenUpIsLeftToTheReader ends the context of the goroutine on which
// others rely before it writes.
func TestSharedWriteThatIsGivenUpIsLeftToTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := newPipe(t, NewTimers(testLimits), nil)
		read := make(chan error, 1)
		go func() { read <- c.Fill(t.Context()) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		c.Lock(ctx)
		c.Out.AddFrames("x")
		cancel()
		c.UnlockShared(ctx)
		if err := <-read; err != nil {
			t.Errorf("Fill of a reader that is to write the rest: got %v, want nil", err)
		}
		state(t, c, "after a shared write that was given up", true, false)
		if written := c.Discard(); written != 0 || c.Place() != 0 {
			t.Errorf("Discard: got %d bytes written, %d beside what is left, want none", written, c.Place())
		}
		state(t, c, "after Discard", false, false)
	})
}
