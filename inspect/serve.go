package inspect

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Serve serves the page on a loopback address, such as "127.0.0.1:0", until ctx ends, and returns
// the cause then. It calls listening with the address of the page, which has the token: whoever
// gets it can look, and close connections. Serve fails if the address is not of the loopback, or
// has a host name other than localhost.
func (i *Inspector) Serve(ctx context.Context, address string, o Options, listening func(url string)) error {
	return serve(ctx, local{i, o.Contents}, address, o.Token, listening)
}

func serve(ctx context.Context, s source, address, token string, listening func(url string)) error {
	listener, err := listenLoopback(ctx, address)
	if err != nil {
		return fmt.Errorf("inspect: serve the page at %s: %w", address, err)
	}
	if token == "" {
		token = rand.Text()
	}
	server := &http.Server{
		Handler:           onLoopback(handlerOf(s, token)),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan struct{})
	defer context.AfterFunc(ctx, func() {
		defer close(ended)
		defer server.Close()
		soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = server.Shutdown(soon) // lets the streams of events end, whose context has
	})()
	listening("http://" + listener.Addr().String() + "/#token=" + token)
	err = server.Serve(listener)
	if ctx.Err() == nil {
		return fmt.Errorf("inspect: serve the page at %s: %w", address, err)
	}
	<-ended
	return context.Cause(ctx)
}

// listenLoopback listens on an address of the loopback.
func listenLoopback(ctx context.Context, address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.IsLoopback() {
		return nil, errors.New("the host is not of the loopback, want 127.0.0.1, ::1 or localhost; to look from another machine, forward the port with ssh -L")
	}
	return new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
}

// onLoopback refuses requests for other hosts, which a name that resolves to the loopback makes a
// browser send.
func onLoopback(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
			http.Error(w, "this is served on the loopback only", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}
