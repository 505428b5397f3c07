package tcp_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/tcp"
)

func TestFileIsReadAtEachUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "names")
	file := tcp.File(path)
	_, err := file.Addresses(t.Context(), counter)
	refused(t, "look a name up in a missing file", err, fs.ErrNotExist)

	write := func(content string) {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatalf("write the file: %v", err)
		}
	}
	write("# names\n\ntwo a.example.org:1 b.example.org:2 # both\ncounter [::1]:3")
	addresses(t, file, "two", "a.example.org:1", "b.example.org:2")
	addresses(t, file, "counter", "[::1]:3")
	addresses(t, file, "three")
	names, err := file.Names(t.Context())
	if got := fmt.Sprint(names, err); got != "[counter two] <nil>" {
		t.Errorf("names in the file: got %s, want [counter two]", got)
	}
	write("counter 127.0.0.1:4")
	addresses(t, file, "counter", "127.0.0.1:4")
}

func addresses(t *testing.T, d tcp.Directory, name string, want ...string) {
	t.Helper()
	got, err := d.Addresses(t.Context(), socket.MustParseName(name))
	if !slices.Equal(got, want) || err != nil {
		t.Errorf("addresses of %s: got %v, %v, want %v", name, got, err, want)
	}
}

func TestFileTellsTheLineThatIsWrong(t *testing.T) {
	for line, want := range map[string]string{
		"counter":                "counter has no address",
		"counter 127.0.0.1":      "missing port",
		"one 1.2.3.4:5":          "one has a line already",
		"a/b 127.0.0.1:4711":     "a/b",
		"counter 127.0.0.1:1 ::": "too many colons",
	} {
		path := filepath.Join(t.TempDir(), "names")
		if err := os.WriteFile(path, []byte("one 127.0.0.1:1\n"+line+"\n"), 0o600); err != nil {
			t.Fatalf("write the file: %v", err)
		}
		_, err := tcp.File(path).Addresses(t.Context(), counter)
		refused(t, "a file with the line "+line, err, socket.ErrInvalid)
		if err == nil || !strings.Contains(err.Error(), path+":2: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("a file with the line %s: got %v, want an error with the line's number and %q", line, err, want)
		}
	}
}

func TestFuncHasNoListOfNames(t *testing.T) {
	f := tcp.Func(func(_ context.Context, name socket.Name) ([]string, error) {
		return []string{name.String() + ":1"}, nil
	})
	addresses(t, f, "counter", "counter:1")
	_, err := f.Names(t.Context())
	refused(t, "names of a Func", err, errors.ErrUnsupported)
}

func TestTableWithWhatIsNoName(t *testing.T) {
	_, err := tcp.Table{"a/b": {"127.0.0.1:1"}}.Names(t.Context())
	refused(t, "names of a table with a/b", err, socket.ErrInvalid)
}

// A real query of the resolver reaches a server of names in this test.
func TestSRVLooksUpRecords(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	defer server.Close()
	go answerQueries(server)
	srv := tcp.SRV{Domain: "example.org", Resolver: &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
		},
	}}
	addresses(t, srv, "counter", "first.example.org:4711", "second.example.org:4712")
	addresses(t, srv, "unknown")
	_, err = srv.Names(t.Context())
	refused(t, "names of the domain name system", err, errors.ErrUnsupported)
}

// answerQueries answers queries for _counter._tcp.example.org with two records, and others with
// the answer that there is no such name (RFC 1035, section 4; RFC 2782).
func answerQueries(server net.PacketConn) {
	buffer := make([]byte, 512)
	for {
		n, from, err := server.ReadFrom(buffer)
		if err != nil {
			return
		}
		server.WriteTo(answerQuery(buffer[:n]), from)
	}
}

func answerQuery(query []byte) []byte {
	const header = 12
	question := query[header:]
	end := slices.Index(question, 0) + 1 + 4 // the name, its type and class
	answer := slices.Concat(query[:header], question[:end])
	answer[2], answer[3] = 0x84, 0 // an authoritative answer
	clear(answer[6:header])
	if !strings.Contains(string(question), "\x08_counter\x04_tcp") {
		answer[3] = 3 // no such name
		return answer
	}
	record := func(priority, port uint16, host string) {
		data := binary.BigEndian.AppendUint16(nil, priority)
		data = binary.BigEndian.AppendUint16(data, 0) // the weight
		data = binary.BigEndian.AppendUint16(data, port)
		for label := range strings.SplitSeq(host, ".") {
			data = append(append(data, byte(len(label))), label...)
		}
		data = append(data, 0)
		answer = append(answer, 0xc0, header, 0, 33, 0, 1, 0, 0, 0, 60) // the question's name, SRV, internet, a minute
		answer = append(binary.BigEndian.AppendUint16(answer, uint16(len(data))), data...)
		answer[7]++
	}
	record(20, 4712, "second.example.org")
	record(10, 4711, "first.example.org")
	return answer
}
