package sockettest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

var php = socket.MustParseName("php")

// answering is a server that counts, and answers as answer says.
func answering(answer func(socket.Message) string) func(context.Context, *socket.IPC) fold.Attempt[int] {
	return func(ctx context.Context, ipc *socket.IPC) fold.Attempt[int] {
		return socket.Serve(ipc, php, fold.Sum[int]()).With(ctx, func(m socket.Message, c socket.Continuation[int], count int) socket.Continuation[int] {
			return c.Respond(socket.NewMessage(m.MediaType(), answer(m))).CarryWith(count + 1)
		})
	}
}

var echoing = answering(func(m socket.Message) string { return "echo: " + m.Content() })

// The recorded servers in PHP answer with an echo. Those left out are ended from outside.
func TestReplayOfRecordedClientsExpectsTheRecordedAnswers(t *testing.T) {
	paths, err := filepath.Glob("../testdata/transcripts/*.jsonl")
	if err != nil || len(paths) == 0 {
		t.Fatalf("list the transcripts: got %v, %v, want some", paths, err)
	}
	for _, path := range paths {
		session := strings.TrimSuffix(filepath.Base(path), ".jsonl")
		if strings.HasPrefix(session, "d") || strings.HasPrefix(session, "e") {
			continue
		}
		t.Run(session, func(t *testing.T) {
			count, ok := socket.Carry(Replay(t, path, echoing)).Get()
			if !ok || count > 3 {
				t.Errorf("replay: got the carry %d, %v, want that of a server which counts up to three", count, ok)
			}
		})
	}
}

// fileOf writes a recording of the lines of one connection.
func fileOf(t *testing.T, lines ...string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "test.jsonl")
	text := "{\"recording\":1,\"name\":\"php\"}\n" + strings.Join(lines, "\n")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatalf("write a recording: %v", err)
	}
	return path
}

var oneRequest = []string{
	`{"ms":5,"connection":1,"kind":"open"}`,
	`{"ms":5,"connection":1,"from":"server","kind":"start"}`,
	`{"ms":6,"connection":1,"from":"client","kind":"start-ok"}`,
	`{"ms":7,"connection":1,"from":"client","kind":"message","mediaType":"text/plain","content":"a"}`,
	`{"ms":8,"connection":1,"from":"server","kind":"ack"}`,
	`{"ms":9,"connection":1,"from":"server","kind":"message","mediaType":"text/plain","content":"echo: a"}`,
	`{"ms":10,"connection":1,"from":"client","kind":"close"}`,
	`{"ms":11,"connection":1,"from":"server","kind":"close-ok"}`,
}

// reports runs replay, and returns what it reported.
func reports(replay func(testing.TB)) string {
	r := new(reporter)
	func() {
		defer func() {
			if v := recover(); v != nil && v != any(errStopped) {
				panic(v)
			}
		}()
		replay(r)
	}()
	return r.said.String()
}

func TestReplayReportsWhatDiffers(t *testing.T) {
	path := fileOf(t, oneRequest...)
	for name, c := range map[string]struct {
		server func(context.Context, *socket.IPC) fold.Attempt[int]
		want   string
	}{
		"the same": {echoing, ""},
		"another content": {
			answering(func(m socket.Message) string { return "b" }),
			`connection 1, 9ms: the recorded server sent message text/plain "echo: a", this one sent message text/plain "b"`,
		},
		"late": {func(ctx context.Context, ipc *socket.IPC) fold.Attempt[int] {
			return answering(func(m socket.Message) string { time.Sleep(time.Minute); return "echo: a" })(ctx, ipc)
		}, ""},
		"no answer": {func(ctx context.Context, ipc *socket.IPC) fold.Attempt[int] {
			return socket.Serve(ipc, php, fold.Sum[int]()).With(ctx, func(_ socket.Message, c socket.Continuation[int], _ int) socket.Continuation[int] { return c })
		}, `connection 1, 9ms: the recorded server sent message text/plain "echo: a", this one sent nothing`},
		"rejects": {func(ctx context.Context, ipc *socket.IPC) fold.Attempt[int] {
			return socket.Serve(ipc, php, fold.Sum[int]()).With(ctx, func(_ socket.Message, c socket.Continuation[int], _ int) socket.Continuation[int] {
				return c.Reject(context.Canceled)
			})
		}, `connection 1, 8ms: the recorded server sent ack, this one sent close`},
		"does not listen": {func(ctx context.Context, ipc *socket.IPC) fold.Attempt[int] { return fold.Succeed(1) }, "nobody listens"},
	} {
		got := reports(func(r testing.TB) { replay(t, r, path, c.server) })
		if !strings.Contains(got, c.want) || c.want == "" && got != "" || strings.Count(got, "\n") > 1 {
			t.Errorf("replay to a server, %s: got the report %q, want %q", name, got, c.want)
		}
	}
}

// The server under test answers twice.
func TestReplayReportsWhatIsNotRecorded(t *testing.T) {
	path := fileOf(t, oneRequest[:6]...)
	got := reports(func(r testing.TB) {
		replay(t, r, path, func(ctx context.Context, ipc *socket.IPC) fold.Attempt[int] {
			return socket.Serve(ipc, php, fold.Sum[int]()).With(ctx, func(m socket.Message, c socket.Continuation[int], _ int) socket.Continuation[int] {
				return c.Respond(socket.Text("echo: a"), m)
			})
		})
	})
	if want := `connection 1, 9ms: the server sent message text/plain "a", of which the recording has nothing`; !strings.Contains(got, want) {
		t.Errorf("replay to a server that answers twice: got the report %q, want %q", got, want)
	}
}

func TestReplayExplainsARecordingThatCannotBePlayed(t *testing.T) {
	hidden := strings.Replace(oneRequest[3], `"content":"a"`, `"missing":1`, 1)
	for name, c := range map[string]struct{ path, want string }{
		"that is missing":           {"missing.jsonl", "no such file"},
		"with hidden contents":      {fileOf(t, append([]string{oneRequest[0]}, hidden)...), "contents are missing in the recording"},
		"that has no connection":    {fileOf(t), "the recording has no connection"},
		"that is no JSON":           {fileOf(t, "x"), "line 2"},
		"of a name that is invalid": {fileOf(t, `{"ms":1,"connection":1,"kind":"open","name":"a/b"}`), "a/b"},
	} {
		if got := reports(func(r testing.TB) { replay(t, r, c.path, echoing) }); !strings.Contains(got, c.want) {
			t.Errorf("replay a recording %s: got the report %q, want %q", name, got, c.want)
		}
	}
}

// The context of the server ends when the recorded server's did, and its clients agree to close.
func TestReplayEndsTheServerAsRecorded(t *testing.T) {
	path := fileOf(t, append(oneRequest[:6:6],
		`{"ms":60009,"kind":"stop"}`,
		`{"ms":60010,"connection":1,"from":"server","kind":"close"}`,
		`{"ms":60011,"connection":1,"from":"client","kind":"close-ok"}`,
	)...)
	var began, ended time.Time
	ending := Replay(t, path, func(ctx context.Context, ipc *socket.IPC) fold.Attempt[int] {
		began = time.Now()
		defer func() { ended = time.Now() }()
		return echoing(ctx, ipc)
	})
	if count, _ := socket.Carry(ending).Get(); count != 1 || ended.Sub(began) < time.Minute {
		t.Errorf("replay a server that stops after a minute: got the carry %d after %v, want 1 after a minute", count, ended.Sub(began))
	}
}

// asking is a client that makes requests.
func asking(requests ...string) func(context.Context, *socket.IPC) fold.Attempt[string] {
	return func(ctx context.Context, ipc *socket.IPC) fold.Attempt[string] {
		return fold.Then(ipc.ConnectTo(ctx, php), socket.Closing(ctx, func(p *socket.Process) fold.Attempt[string] {
			answers := ""
			for _, request := range requests {
				m, err := p.Request(ctx, socket.Text(request)).Get()
				if err != nil {
					return fold.Fail[string](err)
				}
				answers += m.Content()
			}
			return fold.Succeed(answers)
		}))
	}
}

func TestReplayServerGivesTheRecordedAnswers(t *testing.T) {
	if got, err := ReplayServer(t, "../testdata/transcripts/a_one_request.jsonl", asking("hello world")).Get(); got != "echo: hello world" {
		t.Errorf("replay a server in PHP: the client got %q, %v, want the recorded answer", got, err)
	}
	path := fileOf(t, oneRequest...)
	if got, err := ReplayServer(t, path, asking("a")).Get(); got != "echo: a" {
		t.Errorf("replay a server: the client got %q, %v, want the recorded answer", got, err)
	}
	for name, c := range map[string]struct {
		client func(context.Context, *socket.IPC) fold.Attempt[string]
		want   string
	}{
		"asks for something else": {asking("b"), `the recorded client sent message text/plain "a", this one sent message text/plain "b"`},
		"asks nothing":            {asking(), `the recorded client sent message text/plain "a", this one sent close`},
		"does not connect": {
			func(context.Context, *socket.IPC) fold.Attempt[string] { return fold.Succeed("") }, "context canceled",
		},
	} {
		if got := reports(func(r testing.TB) { replayServer(t, r, path, c.client) }); !strings.Contains(got, c.want) {
			t.Errorf("replay a server to a client that %s: got the report %q, want %q", name, got, c.want)
		}
	}
}
