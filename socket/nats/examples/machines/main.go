// Command machines is the first example of rxipc on two machines, which are parts of one process
// here, with a cluster of three brokers on the loopback interface. Each machine has a server, and a
// client of the other machine's server. When 20 messages are acknowledged, the broker to which the
// first machine is connected ends. The machine goes on with another one:
//
//	go run -C socket/nats ./examples/machines
//
// Compare pipelines.go with serve.go and send.go of examples/counter: it is the same, but prints nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsio "github.com/nats-io/nats.go"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/socket/nats"
	"github.com/rxipc/rxipc/socket/nats/broker"
)

func main() {
	ctx, stop := socket.NotifyContext(context.Background())
	defer stop()
	if err := story(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "machines: %v\n", err)
		os.Exit(socket.ExitCode(err))
	}
}

// story runs both machines until each server has counted 21 messages.
func story(ctx context.Context) error {
	brokers, urls, err := startCluster()
	for _, b := range brokers {
		defer b.Close()
	}
	if err != nil {
		return err
	}
	var machines [2]*socket.IPC
	for i := range machines {
		conn, err := connect(urls[i:])
		if err != nil {
			return err
		}
		defer conn.Close()
		machines[i] = socket.New(socket.Config{Transport: nats.Transport(conn, nats.Config{})})
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	east, west := socket.MustParseName("east"), socket.MustParseName("west")
	counts := make(chan int, 2)
	count := func(machine *socket.IPC, name socket.Name) {
		n, err := serve(ctx, machine, name, 21).Get()
		if err != nil {
			cancel(err) // ends the clients
		}
		counts <- n
	}
	go count(machines[0], east)
	go count(machines[1], west)

	exchange := func(times int) error {
		hello := socket.Text("hello world")
		return errors.Join(send(ctx, machines[0], west, hello, times), send(ctx, machines[1], east, hello, times))
	}
	if err := exchange(10); err != nil {
		return err
	}
	fmt.Println("20 messages are acknowledged, and the first broker ends")
	brokers[0].Close()
	if err := exchange(11); err != nil {
		return err
	}
	fmt.Println("counter:", <-counts+<-counts)
	return context.Cause(ctx)
}

// startCluster starts three brokers, whose ports the system chooses. Each has routes to those before
// it. Brokers that have started are returned with an error, too.
func startCluster() (brokers []*broker.Broker, urls []string, err error) {
	var routes []*url.URL
	for i := range 3 {
		b, err := broker.Start("", func(o *server.Options) {
			o.ServerName, o.NoLog = fmt.Sprint("broker-", i), true
			o.DontListen, o.Host, o.Port = false, "127.0.0.1", server.RANDOM_PORT
			o.Cluster = server.ClusterOpts{Name: "machines", Host: "127.0.0.1", Port: server.RANDOM_PORT}
			o.Routes = routes
		})
		if err != nil {
			return brokers, nil, err
		}
		brokers, urls = append(brokers, b), append(urls, b.Server().ClientURL())
		routes = append(routes[:i:i], &url.URL{Scheme: "nats", Host: b.Server().ClusterAddr().String()})
	}
	return brokers, urls, nil
}

// connect connects a machine to the first broker, and to another one when that is lost.
func connect(urls []string) (*natsio.Conn, error) {
	options := natsio.GetDefaultOptions()
	options.Servers, options.NoRandomize = urls, true
	options.MaxReconnect, options.ReconnectWait = -1, 50*time.Millisecond
	options.AsyncErrorCB = func(*natsio.Conn, *natsio.Subscription, error) {} // by default it prints what was lost
	return options.Connect()
}
