package rpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/rpc"
)

var errNoCredit = &rpc.Problem{Type: "https://example.com/no-credit", Title: "the credit is used up", Status: 403}

var pay = rpc.NewMethod[int, string]("pay")

func TestProblemTravelsWithItsMembers(t *testing.T) {
	virtual(t, func(w *world) {
		w.serve(rpc.Handle(pay, func(_ context.Context, amount int) (string, error) {
			problem := errNoCredit.With("balance", 30).With("accounts", []string{"a", "b"})
			return "", fmt.Errorf("secret of the server: %w", problem.Detailf("the price is %d", amount))
		}))
		_, err := pay.Call(w.ctx, w.pool(), 50)
		problem, ok := errors.AsType[*rpc.Problem](err)
		if !ok || !errors.Is(err, errNoCredit) {
			t.Fatalf("call that fails with a problem: got %v, want a Problem that is errNoCredit", err)
		}
		if problem.Title != errNoCredit.Title || problem.Status != 403 || problem.Detail != "the price is 50" {
			t.Errorf("the problem is %+v, want the title, the status and the detail of the server's", problem)
		}
		var balance int
		var accounts []string
		if !problem.Member("balance", &balance) || !problem.Member("accounts", &accounts) || balance != 30 || len(accounts) != 2 {
			t.Errorf("the members are %d and %v, want 30 and [a b]", balance, accounts)
		}
		if problem.Member("balance", &accounts) || problem.Member("other", &balance) {
			t.Error("read a member of another type, and one that is not there: got true, want false")
		}
		if want := "rpc: call pay: the credit is used up: the price is 50"; err.Error() != want {
			t.Errorf("the text is %q, want %q", err, want)
		}
	})
}

// Each way in which a handler fails has an error of its own for the caller.
func TestProblemForEachFailureOfAHandler(t *testing.T) {
	otherServer := &rpc.Error{Method: "other", Err: rpc.ErrUnknownMethod}
	for failure, test := range map[string]struct {
		fail   func() error
		is     error
		detail string // what the caller gets of the text
		logged string // what the log of the server has
	}{
		"a plain error":              {func() error { return fs.ErrNotExist }, rpc.ErrFailed, "", "file does not exist"},
		"an error by Errorf":         {func() error { return rpc.Errorf("no account: %w", fs.ErrNotExist) }, rpc.ErrFailed, "no account: file does not exist", ""},
		"a panic":                    {func() error { panic("secret") }, socket.ErrPanicked, "", "secret"},
		"a panic with a problem":     {func() error { panic(errNoCredit) }, socket.ErrPanicked, "", "credit"},
		"runtime.Goexit":             {func() error { runtime.Goexit(); return nil }, socket.ErrPanicked, "", ""},
		"a deadline of its own":      {func() error { return context.DeadlineExceeded }, rpc.ErrFailed, "", "deadline exceeded"},
		"an error of another server": {func() error { return otherServer }, rpc.ErrFailed, "", "no such method"},
		"its problem passed on":      {func() error { return otherServer.Err }, rpc.ErrUnknownMethod, "", ""},
		"an Errorf around it":        {func() error { return rpc.Errorf("ask the other: %w", otherServer) }, rpc.ErrFailed, "ask the other", ""},
	} {
		t.Run(failure, func(t *testing.T) {
			virtual(t, func(w *world) {
				w.serve(rpc.Handle(pay, func(context.Context, int) (string, error) { return "", test.fail() }))
				_, err := pay.Call(w.ctx, w.connect(), 1)
				problem, ok := errors.AsType[*rpc.Problem](err)
				if !ok || !errors.Is(err, test.is) {
					t.Fatalf("call: got %v, want a Problem that is %v", err, test.is)
				}
				if problem.Detail != test.detail && (test.detail == "" || !strings.Contains(problem.Detail, test.detail)) {
					t.Errorf("the caller got the detail %q, want %q", problem.Detail, test.detail)
				}
				if strings.Contains(err.Error(), "secret") || errors.Is(err, fs.ErrNotExist) {
					t.Errorf("the caller got %v, want nothing of the server's own error", err)
				}
				w.stop()
				if log := w.log.String(); !strings.Contains(log, test.logged) || (test.logged == "") != (strings.Count(log, "level=ERROR") == 0) {
					t.Errorf("the log of the server is %q, want an error with %q, or none if that is empty", log, test.logged)
				}
			})
		})
	}
}

func TestProblemForRequestsThatReachNoHandler(t *testing.T) {
	virtual(t, func(w *world) {
		w.serve(greets)
		for mediaType, test := range map[string]struct {
			content string
			is      error
			detail  string
		}{
			"application/json; method=goodbye":         {"{}", rpc.ErrUnknownMethod, "method goodbye"},
			"application/json; stream=hello":           {"{}", rpc.ErrUnknownMethod, "stream hello"},
			"application/json; method=hello":           {"{", rpc.ErrBadRequest, "unexpected end of JSON input"},
			"application/xml; method=hello":            {"<a/>", rpc.ErrBadRequest, "want application/json"},
			"application/jsonx; method=hello":          {"{}", rpc.ErrBadRequest, "want application/json"},
			"application/json":                         {"{}", rpc.ErrUnknownMethod, `no parameter "method"`},
			"application/json; METHOD=hello, x=y":      {`{"Name": 3}`, rpc.ErrBadRequest, "cannot unmarshal number"},
			"application/json; timeout=x, method=hola": {"{}", rpc.ErrUnknownMethod, "method hola"},
		} {
			m, err := w.connect().Request(w.ctx, socket.NewMessage(socket.MustParseMediaType(mediaType), test.content)).Get()
			if err != nil {
				t.Errorf("request %s %s: got %v, want an answer", mediaType, test.content, err)
				continue
			}
			_, err = hello.Decode(m)
			if problem, _ := errors.AsType[*rpc.Problem](err); !errors.Is(err, test.is) || !strings.Contains(problem.Detail, test.detail) {
				t.Errorf("request %s %s: got %v, want %v with %q", mediaType, test.content, err, test.is, test.detail)
			}
		}
	})
}

func TestProblemForResponsesThatCannotBeSent(t *testing.T) {
	text := rpc.NewMethod[int, string]("text").Codecs(rpc.JSON, rpc.Text)
	unencodable := rpc.NewMethod[int, func()]("unencodable")
	virtual(t, func(w *world) {
		w.serve(
			rpc.Handle(text, func(_ context.Context, n int) (string, error) { return strings.Repeat("x", n), nil }),
			rpc.Handle(unencodable, func(context.Context, int) (func(), error) { return func() {}, nil }),
		)
		p := w.connect()
		if _, err := text.Call(w.ctx, p, 16<<20); !errors.Is(err, socket.ErrTooLarge) {
			t.Errorf("call with a response over Config.MaxMessage: got %v, want socket.ErrTooLarge", err)
		}
		if _, err := unencodable.Call(w.ctx, p, 1); !errors.Is(err, rpc.ErrFailed) {
			t.Errorf("call with a response that JSON cannot encode: got %v, want ErrFailed", err)
		}
		if got, err := text.Call(w.ctx, p, 3); got != "xxx" {
			t.Errorf("call over the same connection afterwards: got %q, %v, want \"xxx\"", got, err)
		}
	})
}

func TestProblemAsJSON(t *testing.T) {
	for text, want := range map[string]rpc.Problem{
		`{}`:                                       {},
		`{"type":"about:blank"}`:                   {},
		`{"type":"a","title":7}`:                   {Type: "a"}, // RFC 9457, 3.1: a value of another type is ignored
		`{"status":"x","instance":"b"}`:            {Instance: "b"},
		`{"detail":null,"title":"t"}`:              {Title: "t"},
		`{"status":404,"detail":"d","t":` + `[1]}`: {Status: 404, Detail: "d"},
	} {
		var got rpc.Problem
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("decode the problem %s: %v", text, err)
		}
		if got.Type != want.Type || got.Title != want.Title || got.Status != want.Status || got.Detail != want.Detail || got.Instance != want.Instance {
			t.Errorf("decode the problem %s: got %+v, want %+v", text, got, want)
		}
	}
	if err := json.Unmarshal([]byte(`[]`), new(rpc.Problem)); err == nil {
		t.Error("decode a problem that is an array: got nil, want an error")
	}
	problem := (&rpc.Problem{Title: "t"}).With("b", 1).With("a", "x")
	if got, err := json.Marshal(problem); string(got) != `{"title":"t","a":"x","b":1}` || err != nil {
		t.Errorf("encode a problem: got %s, %v, want the members of the RFC, then the others by name", got, err)
	}
	if got, _ := json.Marshal(new(rpc.Problem).With("a", 1)); string(got) != `{"a":1}` {
		t.Errorf("encode a problem with a member only: got %s, want {\"a\":1}", got)
	}
}

// The type of each problem of the package is the address of a section of PROTOCOL.md.
func TestProblemTypesAreDescribedInTheProtocol(t *testing.T) {
	page, err := os.ReadFile("../../PROTOCOL.md")
	if err != nil {
		t.Fatalf("read PROTOCOL.md: %v", err)
	}
	for _, problem := range rpc.Problems() {
		_, anchor, ok := strings.Cut(problem.Type, "PROTOCOL.md#")
		heading := "\n#### " + strings.Replace(anchor, "problem-", "Problem ", 1) + "\n"
		if !ok || !strings.Contains(string(page), heading) {
			t.Errorf("look for the type %s in PROTOCOL.md: there is no heading %q", problem.Type, heading)
		}
	}
}
