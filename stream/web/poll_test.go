package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/streamtest"
	"github.com/rxipc/rxipc/stream/web"
)

var errCause = errors.New("why the context ended")

// server is one without a network, for virtual time.
type server func(*http.Request) (*http.Response, error)

func (s server) RoundTrip(r *http.Request) (*http.Response, error) { return s(r) }

func (s server) client() *http.Client { return &http.Client{Transport: s} }

// answer is a response with the header's lines, such as "ETag: 1".
func answer(code int, body string, header ...string) *http.Response {
	r := &http.Response{StatusCode: code, Status: fmt.Sprint(code), Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	return r
}

func bodies(source stream.Observable[web.Page]) stream.Observable[string] {
	return operators.Map(func(p web.Page) string { return string(p.Body) })(source)
}

func TestPollKeepsTheContract(t *testing.T) {
	source := stream.Defer(func() stream.Observable[string] {
		n := 0
		s := server(func(*http.Request) (*http.Response, error) {
			n++
			return answer(200, fmt.Sprint(n)), nil
		})
		return bodies(web.Poll("http://host/", web.PollOptions{Client: s.client()}))
	})
	streamtest.Check(t, source, []string{"1", "2", "3"}, streamtest.Endless())
}

func TestPollEndsWhileItsServerIsSilent(t *testing.T) {
	silent := server(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	source := web.Poll("http://host/", web.PollOptions{Client: silent.client(), Timeout: time.Hour})
	streamtest.Check(t, source, nil, streamtest.Endless())
}

// script answers requests one after the other, and keeps when they came.
type script struct {
	answers []func() (*http.Response, error)
	began   time.Time
	at      []time.Duration
	headers []http.Header
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	n := len(s.at)
	s.at = append(s.at, time.Since(s.began))
	s.headers = append(s.headers, r.Header)
	if n >= len(s.answers) {
		return answer(404, ""), nil // ends the run
	}
	return s.answers[n]()
}

// polled runs a Poll against a script in virtual time, up to its end.
func polled(t *testing.T, s *script, options web.PollOptions, test func(got []string, err error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s.began = time.Now()
		options.Client = &http.Client{Transport: s}
		test(bodies(web.Poll("http://host/x", options)).Collect(t.Context()))
	})
}

func ok(code int, body string, header ...string) func() (*http.Response, error) {
	return func() (*http.Response, error) { return answer(code, body, header...), nil }
}

func TestPollEmitsWhatChanged(t *testing.T) {
	s := &script{answers: []func() (*http.Response, error){
		ok(200, "a", "ETag: 1", "Last-Modified: Sat, 01 Jan 2000 00:00:00 GMT"),
		ok(304, ""),
		ok(200, "a", "ETag: 2"), // the same again
		ok(200, "b"),
		ok(200, "b"),
	}}
	polled(t, s, web.PollOptions{Every: time.Second}, func(got []string, err error) {
		var status *web.StatusError
		if !errors.As(err, &status) || status.Code != 404 || !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("poll a page that changes and goes: got %q, %v; want a, b, and the StatusError of a 404", got, err)
		}
	})
	var etags, dates []string
	for _, h := range s.headers {
		etags, dates = append(etags, h.Get("If-None-Match")), append(dates, h.Get("If-Modified-Since"))
	}
	const date = "Sat, 01 Jan 2000 00:00:00 GMT"
	if want := []string{"", "1", "1", "2", "", ""}; !slices.Equal(etags, want) {
		t.Errorf("If-None-Match of the requests: got %q, want %q", etags, want)
	}
	if want := []string{"", date, date, "", "", ""}; !slices.Equal(dates, want) {
		t.Errorf("If-Modified-Since of the requests: got %q, want %q", dates, want)
	}
}

func TestPollTriesAgain(t *testing.T) {
	refused := errors.New("connection refused")
	s := &script{answers: []func() (*http.Response, error){
		func() (*http.Response, error) { return nil, refused },
		ok(500, ""),
		ok(503, "", "Retry-After: 100"),
		ok(429, "", "Retry-After: Sat, 01 Jan 2000 00:05:00 GMT"),
		ok(503, "", "Retry-After: nonsense"),
		ok(200, "a"),
	}}
	var failures []error
	options := web.PollOptions{
		Every:  time.Hour,
		Retry:  operators.RetryPolicy{Delay: time.Second, Jitter: -1},
		Failed: func(err error) { failures = append(failures, err) },
	}
	polled(t, s, options, func(got []string, err error) {
		if !slices.Equal(got, []string{"a"}) || len(failures) != 5 || !errors.Is(failures[0], refused) {
			t.Errorf("poll a server that fails at first: got %q, %v, failures %v; want a, and 5 failures", got, err, failures)
		}
	})
	// Delays are 1, 2, 4, 8 and 16 s, or what the server asks for.
	want := []time.Duration{0, 1 * time.Second, 3 * time.Second, 103 * time.Second, 300 * time.Second, 316 * time.Second, time.Hour + 316*time.Second}
	if !slices.Equal(s.at, want) {
		t.Errorf("times of the requests: got %v, want %v", s.at, want)
	}
}

func TestPollGivesUp(t *testing.T) {
	failing := []func() (*http.Response, error){ok(500, ""), ok(500, ""), ok(500, "")}
	polled(t, &script{answers: failing}, web.PollOptions{Retry: operators.RetryPolicy{Times: 2}}, func(_ []string, err error) {
		var status *web.StatusError
		if !errors.As(err, &status) || status.Code != 500 {
			t.Errorf("poll with two retries: got %v, want the StatusError of a 500", err)
		}
	})
	never := operators.RetryPolicy{If: func(error) bool { return false }}
	s := &script{answers: failing}
	polled(t, s, web.PollOptions{Retry: never}, func(_ []string, err error) {
		if len(s.at) != 1 || err == nil {
			t.Errorf("poll with an If that says no: got %d requests, %v; want one", len(s.at), err)
		}
	})
	polled(t, &script{answers: []func() (*http.Response, error){ok(200, "abcd")}}, web.PollOptions{Limit: 3}, func(_ []string, err error) {
		if !errors.Is(err, web.ErrTooLong) {
			t.Errorf("poll a body over the limit: got %v, want ErrTooLong", err)
		}
	})
}

func TestPollOfAnInvalidURL(t *testing.T) {
	for _, url := range []string{"http://host:port/", "example.com/feed", "//example.com/feed", "http:///feed", ""} {
		options := web.PollOptions{
			Retry:  operators.RetryPolicy{Times: 1, Delay: -1},
			Failed: func(err error) { t.Errorf("Poll of %q asks again after %v, want no second request", url, err) },
		}
		if err := web.Poll(url, options).Run(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "web: ") {
			t.Errorf("Poll of %q: got %v, want an error of package web", url, err)
		}
	}
}

func TestPollRequestsThatTakeTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		s := server(func(r *http.Request) (*http.Response, error) {
			if n++; n > 1 {
				return answer(200, "a"), nil
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		options := web.PollOptions{Client: s.client(), Retry: operators.RetryPolicy{Delay: -1}}
		began := time.Now()
		got, err := bodies(web.Poll("http://host/", options)).First(t.Context()).Get()
		if took := time.Since(began); got != "a" || err != nil || took != 30*time.Second {
			t.Errorf("poll a server that answers the second request alone: got %q, %v after %v; want a after the timeout, 30s", got, err, took)
		}
	})
}

func TestPollOfARealServer(t *testing.T) {
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		if r.Header.Get("Authorization") != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if n%2 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, n)
	}))
	defer s.Close()
	options := web.PollOptions{
		Client: s.Client(), Every: time.Nanosecond, Retry: operators.RetryPolicy{Delay: -1},
		Prepare: func(r *http.Request) { r.Header.Set("Authorization", "secret") },
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	var got []string
	err := bodies(web.Poll(s.URL, options))(ctx, func(body string) bool {
		if got = append(got, body); len(got) == 3 {
			cancel(errCause)
		}
		return true
	})
	if want := []string{"1", "3", "5"}; !errors.Is(err, errCause) || !slices.Equal(got, want) {
		t.Errorf("poll until the context ends: got %q, %v; want %q, %v", got, err, want, errCause)
	}
	options.Prepare = nil
	if err := web.Poll(s.URL, options).Run(t.Context()); err == nil || !strings.HasSuffix(err.Error(), ": 401 Unauthorized") {
		t.Errorf("poll without authorization: got %v, want an error that ends with the status", err)
	}
}
