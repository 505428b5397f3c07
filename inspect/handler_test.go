package inspect

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxipc/rxipc/stream"
)

// ask makes a request to a handler, and returns the code and the body of the answer.
func ask(t *testing.T, h http.Handler, method, path, body string, header ...string) (code int, answer string, headers http.Header) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	for n := 0; n < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String(), w.Header()
}

func TestHandlerDemandsItsToken(t *testing.T) {
	h := New().Handler(Options{Token: "secret"})
	for _, path := range []string{"GET /snapshot", "GET /events", "POST /close"} {
		method, path, _ := strings.Cut(path, " ")
		for _, token := range []string{"", "Bearer ", "Bearer wrong", "secret2"} {
			if code, _, _ := ask(t, h, method, path, `{"id":1}`, "Authorization", token); code != http.StatusUnauthorized {
				t.Errorf("%s %s with the authorization %q: got the status %d, want 401", method, path, token, code)
			}
		}
	}
	if code, body, _ := ask(t, h, "GET", "/snapshot", "", "Authorization", "Bearer secret"); code != 200 || !json.Valid([]byte(body)) {
		t.Errorf("ask for a snapshot with the token: got the status %d and %q, want 200 and JSON", code, body)
	}
}

func TestHandlerRefusesOtherSites(t *testing.T) {
	h := New().Handler(Options{})
	for _, c := range []struct {
		request string
		header  []string
		want    int
	}{
		{"POST /close", []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{"POST /close", []string{"Origin", "https://evil.example"}, http.StatusForbidden},
		{"GET /snapshot", []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{"GET /close", nil, http.StatusNotFound},
		{"POST /close", []string{"Sec-Fetch-Site", "same-origin"}, http.StatusNotFound}, // there is no such connection
		{"GET /snapshot", []string{"Sec-Fetch-Site", "same-origin"}, http.StatusOK},
	} {
		method, path, _ := strings.Cut(c.request, " ")
		if code, body, _ := ask(t, h, method, path, `{"id":1}`, c.header...); code != c.want {
			t.Errorf("%s with %q: got the status %d and %q, want %d", c.request, c.header, code, body, c.want)
		}
	}
}

func TestHandlerServesThePage(t *testing.T) {
	h := New().Handler(Options{Token: "secret"})
	for path, want := range map[string]string{"/": "text/html", "/page.js": "javascript", "/page.css": "text/css"} {
		code, body, header := ask(t, h, "GET", path, "")
		if code != 200 || !strings.Contains(header.Get("Content-Type"), want) {
			t.Errorf("GET %s: got the status %d and the type %q, want 200 and %s", path, code, header.Get("Content-Type"), want)
		}
		if policy := header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") {
			t.Errorf("GET %s: got the policy %q, want one that allows nothing by default", path, policy)
		}
		for _, elsewhere := range []string{"https://", "innerHTML", "insertAdjacentHTML", "document.write", "eval("} {
			if strings.Contains(body, elsewhere) {
				t.Errorf("%s has %q, want a page that asks nothing of others and shows text only", path, elsewhere)
			}
		}
	}
}

func TestHandlerSaysWhatIsWrongWithAQuery(t *testing.T) {
	h := New().Handler(Options{})
	for _, query := range []string{"stages=x", "connections=1e9", "every=fast"} {
		if code, body, _ := ask(t, h, "GET", "/snapshot?"+query, ""); code != http.StatusBadRequest || !strings.Contains(body, strings.SplitN(query, "=", 2)[0]) {
			t.Errorf("ask with %s: got the status %d and %q, want 400 and what is wrong", query, code, body)
		}
	}
	if code, _, _ := ask(t, h, "POST", "/close", "7"); code != http.StatusBadRequest {
		t.Errorf("close without an object: got the status %d, want 400", code)
	}
}

func TestQueryHasATimeBetweenSnapshotsForAnyNumber(t *testing.T) {
	for given, want := range map[string]time.Duration{
		"NaN": 250 * time.Millisecond, "-Inf": 250 * time.Millisecond, "0": 250 * time.Millisecond, "1e-9": 100 * time.Millisecond, "Inf": time.Minute,
	} {
		q, err := queryOf(url.Values{"every": {given}})
		if got := q.every(); err != nil || got != want {
			t.Errorf("ask for a snapshot every %s seconds: got %v and %v, want %v", given, got, err, want)
		}
	}
}

func TestEventsAreSnapshotsUntilTheClientGoes(t *testing.T) {
	live := New()
	server := httptest.NewServer(live.Handler(Options{}))
	defer server.Close()
	ctx, leave := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/events?every=0.1", nil)
	if err != nil {
		t.Fatalf("make a request: %v", err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("ask for events: %v", err)
	}
	defer answer.Body.Close()
	lines := bufio.NewReader(answer.Body)
	var before time.Time
	for n := range 3 {
		line, err := lines.ReadString('\n')
		data, is := strings.CutPrefix(line, "data: ")
		var s Snapshot
		if err != nil || !is || json.Unmarshal([]byte(data), &s) != nil || !s.Time.After(before) {
			t.Fatalf("event %d: got %q and %v, want a newer snapshot", n, line, err)
		}
		before = s.Time
		if _, err := lines.ReadString('\n'); err != nil {
			t.Fatalf("read the end of event %d: %v", n, err)
		}
	}
	leave()
	if _, err := io.Copy(io.Discard, lines); err == nil {
		t.Error("the client has gone, and its stream ended without an error")
	}
}

func TestServeIsForTheLoopbackOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:0", "[::]:0", "127.0.0.1"} {
		err := New().Serve(t.Context(), address, Options{}, func(url string) { t.Errorf("served %s", url) })
		if err == nil || !strings.Contains(err.Error(), "serve the page at "+address) {
			t.Errorf("serve at %s: got %v, want an error with the address", address, err)
		}
	}
	url := served(t, New(), Options{Token: "secret"})
	base, token, _ := strings.Cut(url, "#token=")
	if token != "secret" {
		t.Errorf("the address is %s, want one with the token", url)
	}
	for host, want := range map[string]int{"evil.example": http.StatusForbidden, "localhost": http.StatusOK, "127.0.0.1:1234": http.StatusOK} {
		request, err := http.NewRequestWithContext(t.Context(), "GET", base, nil)
		if err != nil {
			t.Fatalf("make a request: %v", err)
		}
		request.Host = host
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatalf("ask as %s: %v", host, err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("ask for the page as of the host %s: got the status %d, want %d", host, answer.StatusCode, want)
		}
	}
}

// A thousand stages come in pages, and rates are those of what was counted.
func TestSnapshotIsPaged(t *testing.T) {
	live := New()
	ctx := live.Follow(t.Context())
	for n := range 1000 {
		if err := named(fmt.Sprintf("stage %03d", n))(stream.Just(n)).Run(ctx); err != nil {
			t.Fatalf("run stage %d: got %v, want no error", n, err)
		}
	}
	for _, c := range []struct {
		query        Query
		first        string
		count, found int
	}{
		{Query{}, "stage 000", 100, 1000},
		{Query{Stages: 950}, "stage 950", 50, 1000},
		{Query{Stages: 5000}, "", 0, 1000},
		{Query{Find: "e 99"}, "stage 990", 10, 10},
		{Query{Stages: -3}, "stage 000", 100, 1000},
	} {
		s := live.Snapshot(c.query)
		first := ""
		if len(s.Stages) > 0 {
			first = s.Stages[0].Name
		}
		if first != c.first || len(s.Stages) != c.count || s.StagesFound != c.found || s.StagesTotal != 1000 {
			t.Errorf("%+v: got %d stages of %d from %q on, of %d, want %d of %d from %q on, of 1000", c.query, len(s.Stages), s.StagesFound, first, s.StagesTotal, c.count, c.found, c.first)
		}
	}
}

func TestRatesAreExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		live := New()
		ctx, cancel := context.WithCancel(t.Context())
		run := named("clock")(stream.Interval(4*time.Millisecond)).Subscribe(live.Follow(ctx), stream.Observer[int]{})
		for range 21 {
			live.Snapshot(Query{})
			time.Sleep(250 * time.Millisecond)
		}
		s := live.Snapshot(Query{}).Stages[0]
		if s.Rate < 249 || s.Rate > 251 {
			t.Errorf("250 values a second: got the rate %.2f", s.Rate)
		}
		if len(s.Spark) != 5 || s.Spark[4] < 249 || s.Spark[4] > 251 {
			t.Errorf("five seconds of 250 values: got the sparkline %v", s.Spark)
		}
		cancel()
		_ = run.Wait()
	})
}
