package inspect

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream"
)

//go:embed page
var page embed.FS

// source is what a Handler shows: an Inspector of this program or of another one.
type source interface {
	snapshots(q Query) stream.Observable[Snapshot]
	close(ctx context.Context, id uint64) error
}

type local struct {
	*Inspector
	contents bool
}

func (l local) snapshots(q Query) stream.Observable[Snapshot] {
	return l.Inspector.snapshots(q, l.contents)
}
func (l local) close(ctx context.Context, id uint64) error { return l.Close(ctx, id) }

// Handler returns the page and what it asks for, at paths that are relative to that of the page:
//
//	GET  ./          the page, which has no data
//	GET  ./snapshot  a Snapshot as JSON
//	GET  ./events    snapshots as server-sent events, until the client goes
//	POST ./close     closes a connection; the body is {"id": 7}
//
// The parameters of the second and third are the members of [Query]. Except for the page, each
// request needs the header "Authorization: Bearer TOKEN" if [Options].Token is set. The page takes
// the token from the fragment of its address, "#token=TOKEN", which a browser sends to no server.
// Requests that another site makes a browser send are refused. In a server with other pages, use
// http.StripPrefix, with an address that ends with a slash.
func (i *Inspector) Handler(o Options) http.Handler { return handlerOf(local{i, o.Contents}, o.Token) }

func handlerOf(s source, token string) http.Handler {
	h := handler{source: s, token: sha256.Sum256([]byte(token)), open: token == ""}
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic(err) // the folder is embedded
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(files))
	mux.Handle("GET /snapshot", h.authorized(h.snapshot))
	mux.Handle("GET /events", h.authorized(h.events))
	mux.Handle("POST /close", h.authorized(h.closeOne))
	protected := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "+
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		protected.ServeHTTP(w, r)
	})
}

type handler struct {
	source source
	token  [sha256.Size]byte
	open   bool // no token is needed
}

// authorized demands the token, and that no other site makes the browser ask.
func (h handler) authorized(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		sum := sha256.Sum256([]byte(given))
		switch {
		case !h.open && subtle.ConstantTimeCompare(sum[:], h.token[:]) != 1:
			http.Error(w, "the token is missing or wrong: open the address that the program has printed", http.StatusUnauthorized)
		case h.open && r.Header.Get("Sec-Fetch-Site") == "cross-site":
			http.Error(w, "another site may not ask", http.StatusForbidden)
		default:
			serve(w, r)
		}
	}
}

// queryOf returns the query of a request.
func queryOf(values url.Values) (q Query, err error) {
	number := func(name string, into *int) {
		if text := values.Get(name); text != "" && err == nil {
			if *into, err = strconv.Atoi(text); err != nil {
				err = fmt.Errorf("the parameter %s is %q, want a number", name, text)
			}
		}
	}
	number("stages", &q.Stages)
	number("connections", &q.Connections)
	number("values", &q.Values)
	q.Find, q.Contents = values.Get("find"), values.Get("contents") == "true"
	if text := values.Get("every"); text != "" && err == nil {
		if q.Every, err = strconv.ParseFloat(text, 64); err != nil {
			err = fmt.Errorf("the parameter every is %q, want a number of seconds", text)
		}
	}
	return q, err
}

func (h handler) snapshot(w http.ResponseWriter, r *http.Request) {
	q, err := queryOf(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s, err := h.source.snapshots(q).First(r.Context()).Get()
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s) // the client may be gone
}

func (h handler) events(w http.ResponseWriter, r *http.Request) {
	q, err := queryOf(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	flusher := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	err = stream.Pipe1(h.source.snapshots(q), operators.MapErr(func(s Snapshot) (struct{}, error) {
		text, err := json.Marshal(s)
		if err == nil {
			_, err = fmt.Fprintf(w, "data: %s\n\n", text)
		}
		return struct{}{}, errors.Join(err, flusher.Flush())
	})).Run(r.Context())
	if err != nil && r.Context().Err() == nil {
		text, _ := json.Marshal(err.Error())
		fmt.Fprintf(w, "event: failed\ndata: %s\n\n", text)
	}
}

func (h handler) closeOne(w http.ResponseWriter, r *http.Request) {
	var which CloseRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&which); err != nil {
		http.Error(w, `the body is no {"id": NUMBER}`, http.StatusBadRequest)
		return
	}
	if err := h.source.close(r.Context(), which.ID); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
