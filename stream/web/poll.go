// Package web makes streams of web servers' resources: [Poll] asks for one again and again, and
// emits it when it has changed.
//
//	prices := web.Poll("https://example.com/prices", web.PollOptions{Every: time.Minute})
//	err := prices.ForEach(ctx, func(p web.Page) { fmt.Println(string(p.Body)) })
package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

// ErrTooLong says that a body has more bytes than [PollOptions.Limit] allows.
var ErrTooLong = errors.New("web: the body is too long")

// Page is the answer of a server.
type Page struct {
	Header http.Header // of the response
	Body   []byte      // as a whole
}

// PollOptions say how [Poll] asks. The zero value asks every minute, without end.
type PollOptions struct {
	// Client sends the requests; nil is [http.DefaultClient]. Connections that are kept for
	// later requests are the client's, also when a run has ended.
	Client *http.Client

	// Every is the time from an answer to the next request; zero or less is a minute.
	Every time.Duration

	// Timeout is how long a request and its answer may take; zero or less is 30 s. A
	// request that takes longer has failed.
	Timeout time.Duration

	// Limit is how many bytes a body may have; zero or less is 16 MiB. A longer body fails
	// the run with ErrTooLong.
	Limit int64

	// Prepare gets each request before it is sent, to set its header; nil does nothing.
	Prepare func(*http.Request)

	// Retry says how requests that failed are sent again. Its Times count anew after each
	// answer. A nil After waits for as long as the server's Retry-After says, if there is
	// one. If is called only for failures that another request may mend: those of the
	// network, and the statuses 408, 425, 429 and 5xx.
	Retry operators.RetryPolicy

	// Failed gets each failure that Retry may mend, for a log; nil does nothing.
	Failed func(error)
}

// StatusError is the failure of a request whose answer has another status than 2xx and 304.
type StatusError struct {
	URL        string        // that was asked for
	Status     string        // such as "404 Not Found"
	Code       int           // such as 404
	RetryAfter time.Duration // how long the server asks to wait (Retry-After); zero if it does not
}

// Error names the URL and the status.
func (e *StatusError) Error() string {
	return fmt.Sprintf("web: GET %s: %s", e.URL, e.Status)
}

// temporary reports whether another request may do better.
func (e *StatusError) temporary() bool {
	switch e.Code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	default:
		return e.Code >= 500
	}
}

// Poll asks a server for url with GET and emits the answer, and each later answer that
// differs. It sends the ETag and Last-Modified of the last answer, so that the server need
// not send the same again (RFC 9110, section 13). A body equal to the last is not emitted
// either.
//
// The run ends with its context. After a failure that another request may mend, the run
// asks again, as Retry says: after the delay of the server's Retry-After, or else after
// delays that grow. All other failures end the run: a [*StatusError], [ErrTooLong], an
// invalid url.
func Poll(url string, options PollOptions) stream.Observable[Page] {
	options = options.withDefaults()
	return func(ctx context.Context, yield func(Page) bool) error {
		p := &poller{PollOptions: options, url: url}
		policy := options.Retry
		policy.If = p.again
		if policy.After == nil {
			policy.After = serverDelay
		}
		answer := operators.Retry[*Page](policy)(stream.Future(p.ask))
		for {
			page, err := answer.Last(ctx).Get()
			switch {
			case err != nil:
				return err
			case page != nil && !yield(*page):
				return nil
			}
			if err := stream.Timer(options.Every).Run(ctx); err != nil {
				return err
			}
		}
	}
}

func (o PollOptions) withDefaults() PollOptions {
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	if o.Every <= 0 {
		o.Every = time.Minute
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Limit <= 0 {
		o.Limit = 16 << 20
	}
	return o
}

// poller is a run of Poll.
type poller struct {
	PollOptions
	url          string
	etag         string
	lastModified string
	last         [sha256.Size]byte // of the last body
	known        bool              // there was one
}

// again reports whether a failed request is sent again.
func (p *poller) again(err error) bool {
	var status *StatusError
	switch {
	case errors.As(err, &status) && !status.temporary():
		return false
	case errors.Is(err, ErrTooLong) || errors.As(err, new(notSent)):
		return false
	}
	if p.Retry.If != nil && !p.Retry.If(err) {
		return false
	}
	if p.Failed != nil {
		p.Failed(err)
	}
	return true
}

// notSent is the error of a url that makes no request.
type notSent struct{ error }

func (e notSent) Unwrap() error { return e.error }

// ask sends one request, and returns nil if nothing has changed.
func (p *poller) ask(ctx context.Context) (*Page, error) {
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return nil, notSent{fmt.Errorf("web: %w", err)}
	}
	if u := request.URL; u.Scheme == "" || u.Host == "" && strings.HasPrefix(u.Scheme, "http") {
		return nil, notSent{fmt.Errorf("web: the url %q lacks a scheme or a host; want one such as https://example.com/", p.url)}
	}
	if p.etag != "" {
		request.Header.Set("If-None-Match", p.etag)
	}
	if p.lastModified != "" {
		request.Header.Set("If-Modified-Since", p.lastModified)
	}
	if p.Prepare != nil {
		p.Prepare(request)
	}
	response, err := p.Client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusNotModified:
		return nil, nil
	case response.StatusCode/100 != 2:
		return nil, &StatusError{URL: p.url, Status: response.Status, Code: response.StatusCode, RetryAfter: retryAfter(response.Header)}
	}
	return p.read(response)
}

// read reads an answer, and returns nil if it is the last one again.
func (p *poller) read(response *http.Response) (*Page, error) {
	body, err := io.ReadAll(io.LimitReader(response.Body, p.Limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("web: the answer to GET %s: %w", p.url, err)
	case int64(len(body)) > p.Limit:
		return nil, fmt.Errorf("%w: GET %s has more than %d bytes, which Limit allows", ErrTooLong, p.url, p.Limit)
	}
	p.etag, p.lastModified = response.Header.Get("ETag"), response.Header.Get("Last-Modified")
	sum := sha256.Sum256(body)
	if p.known && sum == p.last {
		return nil, nil
	}
	p.known, p.last = true, sum
	return &Page{Header: response.Header, Body: body}, nil
}

// serverDelay is the delay that a server asks for.
func serverDelay(_ int, err error) (time.Duration, bool) {
	var status *StatusError
	if !errors.As(err, &status) || status.RetryAfter <= 0 {
		return 0, false
	}
	return status.RetryAfter, true
}

// retryAfter is the time that a header asks to wait: a number of seconds or a date.
func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(date))
	}
	return 0
}
