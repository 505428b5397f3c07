package socket_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rxipc/rxipc/fold"
	"github.com/rxipc/rxipc/socket"
)

// The fields of the parts for clients and servers can be reached directly.
func ExampleConfig() {
	config := socket.Config{
		Dir:            "/run/user/1000/shop",
		MaxMessage:     1000,
		SilenceTimeout: 10 * time.Second,
		Log:            slog.New(slog.DiscardHandler),
		ServerConfig:   socket.ServerConfig{MaxConnections: 100},
	}
	config.IdleTimeout = time.Minute
	err := socket.New(config).Check(socket.Text(strings.Repeat("long", 1000)))
	fmt.Println(errors.Is(err, socket.ErrTooLarge), config.MaxConnections, config.IdleTimeout)

	config.Transport = socket.Unix{Dir: "/run/shop"} // two folders
	_, err = socket.New(config).Dial(context.Background(), shouter).Get()
	fmt.Println(errors.Is(err, socket.ErrInvalid))
	// Output:
	// true 100 1m0s
	// true
}

// The socket of a name is a file, which only this user may open by default.
func ExampleUnix() {
	dir, err := os.MkdirTemp("", "rxipc")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	listening := make(chan socket.Name)
	ipc := socket.New(socket.Config{
		Transport:    socket.Unix{Dir: filepath.Join(dir, "shop")}, // is made, with mode 0700
		ServerConfig: socket.ServerConfig{Listening: func(name socket.Name) { listening <- name }},
	})
	stop := background(func(ctx context.Context) { ipc.Listen(shouter).Run(ctx) })
	fmt.Println(<-listening)
	_, err = os.Stat(filepath.Join(dir, "shop", "shouter.sock"))
	fmt.Println("socket:", err)
	stop()
	_, err = os.Stat(filepath.Join(dir, "shop", "shouter.sock"))
	fmt.Println("removed:", errors.Is(err, fs.ErrNotExist))
	// Output:
	// shouter
	// socket: <nil>
	// removed: true
}

// Users is mostly given to ServerConfig.Clients and ClientConfig.Servers. Here it is asked as a server
// asks it for each connection.
func ExampleUsers() {
	accept := socket.Users("1001", "1002") // names, or numbers
	fmt.Println(accept(nil, fold.Just(socket.Peer{PID: 12, UID: 1001})))
	err := accept(nil, fold.Just(socket.Peer{PID: 13, UID: 1003}))
	fmt.Println(errors.Is(err, fs.ErrPermission))
	// Output:
	// <nil>
	// true
}

// Groups accepts the members of a group, whether it is their first one or another.
func ExampleGroups() {
	accept := socket.Groups("4711")
	fmt.Println(accept(nil, fold.Just(socket.Peer{UID: 1001, GID: 4711})))
	fmt.Println(accept(nil, fold.Just(socket.Peer{UID: 1002, GID: 100, Groups: []int{100, 4711}})))
	fmt.Println(accept(nil, fold.Just(socket.Peer{UID: 1003, GID: 100})) != nil)
	// Output:
	// <nil>
	// <nil>
	// true
}

func ExampleAnyOf() {
	accept := socket.AnyOf(socket.Users("1001"), socket.Groups("4711"))
	for _, peer := range []socket.Peer{{UID: 1001}, {UID: 1002, GID: 4711}, {UID: 1003}} {
		fmt.Println(peer.UID, accept(nil, fold.Just(peer)) == nil)
	}
	// Output:
	// 1001 true
	// 1002 true
	// 1003 false
}

// Over TCP a peer has the names of its certificate.
func ExampleNamed() {
	accept := socket.Named("controller.example.org")
	fmt.Println(accept(nil, fold.Just(socket.Peer{UID: -1, Names: []string{"controller.example.org"}})))
	fmt.Println(accept(nil, fold.Just(socket.Peer{UID: -1, Names: []string{"worker.example.org"}})) == nil)
	// Output:
	// <nil>
	// false
}

// A program that ends because of an error of the package, or of a signal.
func ExampleExitCode() {
	fmt.Println(socket.ExitCode(nil), socket.ExitCode(socket.ErrInUse))
	// Output: 0 1
}

// Errors that may pass are worth another try.
func ExampleIsPassing() {
	fmt.Println(socket.IsPassing(socket.ErrNotListening), socket.IsPassing(socket.ErrTooLarge))
	// Output: true false
}
