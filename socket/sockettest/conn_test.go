package sockettest

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// duplex is the interface that a Conn and a unix socket share.
type duplex interface {
	net.Conn
	CloseRead() error
	CloseWrite() error
}

// unixPair returns the two ends of a unix socket.
func unixPair(t *testing.T) (a, b duplex) {
	t.Helper()
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		t.Fatalf("make a folder for the socket: %v", err)
	}
	defer os.RemoveAll(dir)
	listener, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatalf("listen on a unix socket: %v", err)
	}
	defer listener.Close()
	client, err := net.Dial("unix", listener.Addr().String())
	if err != nil {
		t.Fatalf("dial the unix socket: %v", err)
	}
	server, err := listener.Accept()
	if err != nil {
		t.Fatalf("accept the connection: %v", err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client.(duplex), server.(duplex)
}

var past = time.Unix(1, 0)

// everyConn runs each check on a Conn in memory, on one in a bubble and, as a Conn imitates
// the sockets of Linux, on a unix socket there.
func everyConn(t *testing.T, checks map[string]func(t *testing.T, a, b duplex)) {
	for name, check := range checks {
		t.Run(name+", in memory", func(t *testing.T) {
			a, b := Pipe(0)
			check(t, a, b)
		})
		t.Run(name+", in a bubble", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := Pipe(10_000)
				check(t, a, b)
			})
		})
		if runtime.GOOS == "linux" {
			t.Run(name+", in the kernel", func(t *testing.T) {
				a, b := unixPair(t)
				check(t, a, b)
			})
		}
	}
}

// read reads at most 16 bytes and checks the outcome.
func read(t *testing.T, c net.Conn, want string, wantErr error) {
	t.Helper()
	var buffer [16]byte
	if n, err := c.Read(buffer[:]); string(buffer[:n]) != want || !errors.Is(err, wantErr) {
		t.Errorf("read %q, %v, want %q, %v", buffer[:n], err, want, wantErr)
	}
}

func write(t *testing.T, c net.Conn, text string, want int, wantErr error) {
	t.Helper()
	if n, err := c.Write([]byte(text)); n != want || !errors.Is(err, wantErr) {
		t.Errorf("wrote %d bytes, %v, want %d, %v", n, err, want, wantErr)
	}
}

// good fails the test if a call on a connection failed.
func good(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("the call returned %v, want no error", err)
	}
}

func TestConnCarriesBytesInOrder(t *testing.T) {
	everyConn(t, map[string]func(t *testing.T, a, b duplex){
		"bytes in order": func(t *testing.T, a, b duplex) {
			write(t, a, "hello ", 6, nil)
			write(t, a, "world", 5, nil)
			write(t, b, "back", 4, nil)
			read(t, b, "hello world", nil)
			read(t, a, "back", nil)
		},
		"a short read leaves the rest": func(t *testing.T, a, b duplex) {
			write(t, a, "hello", 5, nil)
			if n, err := b.Read(make([]byte, 2)); n != 2 || err != nil {
				t.Errorf("read into 2 bytes: got %d, %v, want 2, no error", n, err)
			}
			read(t, b, "llo", nil)
		},
		"empty reads and writes return at once": func(t *testing.T, a, b duplex) {
			write(t, a, "", 0, nil)
			if n, err := b.Read(nil); n != 0 || err != nil {
				t.Errorf("read into 0 bytes: got %d, %v, want 0, no error", n, err)
			}
		},
		"much, both ways": func(t *testing.T, a, b duplex) {
			sent := make([]byte, 1<<20)
			random := rand.New(rand.NewPCG(1, 0))
			for i := range sent {
				sent[i] = byte(random.Uint32())
			}
			var ways sync.WaitGroup
			for _, pair := range [][2]duplex{{a, b}, {b, a}} {
				ways.Go(func() {
					for rest := sent; len(rest) > 0; {
						n := min(len(rest), 1+len(rest)%7777)
						write(t, pair[0], string(rest[:n]), n, nil)
						rest = rest[n:]
					}
					good(t, pair[0].CloseWrite())
				})
				ways.Go(func() {
					if got, err := io.ReadAll(pair[1]); !bytes.Equal(got, sent) || err != nil {
						t.Errorf("read %d bytes, %v, want the %d sent bytes", len(got), err, len(sent))
					}
				})
			}
			ways.Wait()
		},
	})
}

func TestConnClosesAsAUnixSocket(t *testing.T) {
	everyConn(t, map[string]func(t *testing.T, a, b duplex){
		"end of file": func(t *testing.T, a, b duplex) {
			write(t, a, "last", 4, nil)
			good(t, a.Close())
			read(t, b, "last", nil)
			read(t, b, "", io.EOF)
			read(t, b, "", io.EOF)
			write(t, b, "late", 0, errPipe)
		},
		"closed with bytes unread": func(t *testing.T, a, b duplex) {
			write(t, a, "last", 4, nil)
			write(t, b, "unread", 6, nil)
			good(t, a.Close())
			read(t, b, "last", nil)
			read(t, b, "", errReset)
			write(t, b, "late", 0, errPipe)
		},
		"half closed": func(t *testing.T, a, b duplex) {
			write(t, a, "last", 4, nil)
			good(t, a.CloseWrite())
			good(t, a.CloseWrite())
			write(t, a, "more", 0, errPipe)
			read(t, b, "last", nil)
			read(t, b, "", io.EOF)
			write(t, b, "answer", 6, nil)
			read(t, a, "answer", nil)
		},
		"closed for reading": func(t *testing.T, a, b duplex) {
			good(t, b.CloseRead())
			read(t, b, "", io.EOF)
			write(t, a, "lost", 0, errPipe)
			write(t, b, "there", 5, nil)
			read(t, a, "there", nil)
		},
		"used after closing": func(t *testing.T, a, _ duplex) {
			good(t, a.Close())
			read(t, a, "", net.ErrClosed)
			write(t, a, "x", 0, net.ErrClosed)
			for call, err := range map[string]error{
				"Close": a.Close(), "CloseRead": a.CloseRead(), "CloseWrite": a.CloseWrite(),
				"SetDeadline": a.SetDeadline(past), "SetReadDeadline": a.SetReadDeadline(past),
				"SetWriteDeadline": a.SetWriteDeadline(past),
			} {
				var structured *net.OpError
				if !errors.Is(err, net.ErrClosed) || !errors.As(err, &structured) {
					t.Errorf("%s after Close: got %#v, want a net.OpError of net.ErrClosed", call, err)
				}
			}
		},
	})
}

func TestConnDeadlines(t *testing.T) {
	everyConn(t, map[string]func(t *testing.T, a, b duplex){
		"a deadline that has passed": func(t *testing.T, a, b duplex) {
			write(t, a, "here", 4, nil)
			good(t, b.SetDeadline(past))
			for range 2 {
				read(t, b, "", os.ErrDeadlineExceeded)
				write(t, b, "x", 0, os.ErrDeadlineExceeded)
			}
			good(t, b.SetDeadline(time.Time{}))
			read(t, b, "here", nil)
			good(t, b.SetReadDeadline(past))
			write(t, b, "not the other way", 17, nil)
			_, err := b.Read(make([]byte, 16))
			if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() {
				t.Errorf("read after the deadline: got %v, want a net.Error whose Timeout is true", err)
			}
		},
		"a deadline wakes a blocked read": func(t *testing.T, a, _ duplex) {
			var reading sync.WaitGroup
			reading.Go(func() { read(t, a, "", os.ErrDeadlineExceeded) })
			good(t, a.SetReadDeadline(past))
			reading.Wait()
			good(t, a.SetReadDeadline(time.Now().Add(time.Millisecond)))
			read(t, a, "", os.ErrDeadlineExceeded)
		},
		"a deadline wakes a blocked write": func(t *testing.T, a, b duplex) {
			big := make([]byte, 4<<20)
			good(t, a.SetWriteDeadline(time.Now().Add(time.Millisecond)))
			n, err := a.Write(big)
			if n == len(big) || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("wrote %d of %d bytes, %v, want fewer and os.ErrDeadlineExceeded", n, len(big), err)
			}
			good(t, a.Close())
			if all, err := io.ReadAll(b); len(all) != n || err != nil {
				t.Errorf("read %d of %d bytes, %v", len(all), n, err)
			}
		},
	})
}

func TestConnCloseWakesBlockedCalls(t *testing.T) {
	everyConn(t, map[string]func(t *testing.T, a, b duplex){
		"closing wakes a blocked read": func(t *testing.T, a, b duplex) {
			var reading sync.WaitGroup
			reading.Go(func() { read(t, a, "", net.ErrClosed) })
			reading.Go(func() {
				n, err := b.Read(make([]byte, 16))
				if n != 0 || err != io.EOF {
					t.Errorf("read while the other side closed: got %d bytes, %v, want 0, io.EOF", n, err)
				}
			})
			good(t, a.Close())
			reading.Wait()
		},
		"closing wakes a blocked write": func(t *testing.T, a, _ duplex) {
			var writing sync.WaitGroup
			writing.Go(func() {
				if _, err := a.Write(make([]byte, 4<<20)); !errors.Is(err, net.ErrClosed) {
					t.Errorf("blocked write after Close: got %v, want net.ErrClosed", err)
				}
			})
			good(t, a.Close())
			writing.Wait()
		},
		"the other side's closing wakes a blocked write": func(t *testing.T, a, b duplex) {
			var writing sync.WaitGroup
			writing.Go(func() {
				if _, err := a.Write(make([]byte, 4<<20)); !errors.Is(err, errPipe) && !errors.Is(err, errReset) {
					t.Errorf("blocked write after the other side's Close: got %v, want %v or %v", err, errPipe, errReset)
				}
			})
			read(t, b, string(make([]byte, 16)), nil) // the write has begun
			good(t, b.Close())
			writing.Wait()
		},
	})
}

func TestConnMayBeUsedByManyGoroutines(t *testing.T) {
	everyConn(t, map[string]func(t *testing.T, a, b duplex){
		"the bytes of concurrent writes do not mix": func(t *testing.T, a, b duplex) {
			const size, writers = 300_000, 3
			var writing sync.WaitGroup
			for i := range writers {
				writing.Go(func() { write(t, a, string(bytes.Repeat([]byte{byte(i)}, size)), size, nil) })
			}
			for range writers {
				one := make([]byte, size)
				if _, err := io.ReadFull(b, one); err != nil {
					t.Fatalf("read %d bytes: %v", size, err)
				}
				if !bytes.Equal(one, bytes.Repeat(one[:1], size)) {
					t.Errorf("the %d bytes of one write have bytes of another among them", size)
				}
			}
			writing.Wait()
		},
		"all calls at the same time": func(t *testing.T, a, b duplex) {
			var calls sync.WaitGroup
			for _, c := range []duplex{a, b} {
				for i := range 16 {
					calls.Go(func() {
						for range 50 {
							c.SetReadDeadline(time.Now().Add(time.Duration(i) * time.Microsecond))
							c.Read(make([]byte, 1000))
							c.SetWriteDeadline(time.Now().Add(time.Duration(i) * time.Microsecond))
							c.Write(make([]byte, 1000))
							_, _ = c.LocalAddr(), c.RemoteAddr()
						}
					})
				}
			}
			calls.Wait()
		},
	})
}

func TestConnBuffersAsManyBytesAsGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct{ given, holds int }{{0, DefaultBuffer}, {-1, DefaultBuffer}, {1, 1}, {4096, 4096}} {
			a, b := Pipe(c.given)
			for range 2 {
				begin := time.Now()
				a.SetWriteDeadline(begin.Add(time.Hour))
				n, err := a.Write(make([]byte, c.holds+1))
				if n != c.holds || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Hour {
					t.Errorf("Pipe(%d): wrote %d bytes in %v, %v, want %d in 1h, os.ErrDeadlineExceeded", c.given, n, time.Since(begin), err, c.holds)
				}
				if n, err := io.ReadFull(b, make([]byte, c.holds)); n != c.holds || err != nil {
					t.Errorf("Pipe(%d): read %d bytes, %v, want %d", c.given, n, err, c.holds)
				}
			}
		}
	})
}

func TestConnBlockedWritesLetVirtualTimePass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe(1)
		var waiting sync.WaitGroup
		for range 3 { // one of them blocks in the buffer, two wait for it
			waiting.Go(func() {
				if _, err := a.Write([]byte("ab")); err != nil {
					t.Errorf("write 2 bytes through a buffer of 1: %v", err)
				}
			})
		}
		begin := time.Now()
		for range 6 {
			time.Sleep(time.Hour)
			if n, err := b.Read(make([]byte, 2)); n != 1 || err != nil {
				t.Errorf("read from a buffer of 1 byte: got %d, %v, want 1", n, err)
			}
		}
		waiting.Wait()
		if passed := time.Since(begin); passed != 6*time.Hour {
			t.Errorf("six reads an hour apart took %v, want 6h", passed)
		}
	})
}

func TestConnDeadlineMayBeMovedWhileAReadBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := Pipe(1)
		begin := time.Now()
		a.SetReadDeadline(begin.Add(time.Hour))
		go func() {
			time.Sleep(time.Minute)
			a.SetReadDeadline(begin.Add(2 * time.Minute).Round(0)) // by the wall clock
		}()
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != 2*time.Minute {
			t.Errorf("read with the deadline moved to 2m: got %v after %v, want os.ErrDeadlineExceeded after 2m", err, time.Since(begin))
		}
		a.SetReadDeadline(begin.Add(time.Hour))
		go func() {
			time.Sleep(time.Minute)
			a.SetReadDeadline(time.Time{})
			time.Sleep(2 * time.Hour)
			a.Close()
		}()
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read with the deadline removed, then Close: got %v, want net.ErrClosed", err)
		}
	})
}

func TestConnAddresses(t *testing.T) {
	client, server := pipe(0, "", "name")
	for _, c := range []struct {
		address net.Addr
		want    string
	}{
		{client.LocalAddr(), "@"}, {client.RemoteAddr(), "name"},
		{server.LocalAddr(), "name"}, {server.RemoteAddr(), "@"},
	} {
		if c.address.String() != c.want || c.address.Network() != "memory" {
			t.Errorf("got %s %q, want %q", c.address.Network(), c.address, c.want)
		}
	}
	client.Close()
	if _, err := server.Read(make([]byte, 1)); err != io.EOF { // unwrapped, as some callers compare with ==
		t.Errorf("read after the other side's Close: got %v, want io.EOF itself", err)
	}
	server.Close()
	if err, want := server.Close(), "close memory name->@: use of closed network connection"; err == nil || err.Error() != want {
		t.Errorf("second Close: got %v, want %s", err, want)
	}
}
