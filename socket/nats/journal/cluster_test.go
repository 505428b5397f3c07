package journal_test

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/rxipc/rxipc/socket/nats/broker"
	"github.com/rxipc/rxipc/socket/nats/journal"
)

// cluster is three brokers on loopback.
type cluster struct {
	t       *testing.T
	folders [3]string
	clients [3]int // ports
	routes  [3]int
	brokers [3]*broker.Broker
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{t: t}
	ports := freePorts(t, 6)
	for i := range c.brokers {
		c.folders[i], c.clients[i], c.routes[i] = t.TempDir(), ports[i], ports[3+i]
	}
	for i := range c.brokers {
		c.start(i)
	}
	t.Cleanup(func() {
		for _, b := range c.brokers {
			b.Close()
		}
	})
	return c
}

// freePorts returns ports of loopback that were free a moment ago.
func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatalf("find a free port: %v", err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func (c *cluster) start(i int) {
	c.t.Helper()
	var err error
	c.brokers[i], err = broker.Start(c.folders[i], func(o *server.Options) {
		o.ServerName = fmt.Sprint("broker", i)
		o.DontListen, o.Host, o.Port = false, "127.0.0.1", c.clients[i]
		o.Cluster = server.ClusterOpts{Name: "cluster", Host: "127.0.0.1", Port: c.routes[i]}
		o.SyncAlways, o.NoLog = true, true
		for _, port := range c.routes {
			o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: fmt.Sprint("127.0.0.1:", port)})
		}
	})
	if err != nil {
		c.t.Fatalf("start broker %d: %v", i, err)
	}
}

// url has all brokers.
func (c *cluster) url() string {
	var urls []string
	for _, port := range c.clients {
		urls = append(urls, fmt.Sprint("nats://127.0.0.1:", port))
	}
	return strings.Join(urls, ",")
}

// open opens the journal, once the cluster has a leader.
func (c *cluster) open() *journal.Journal {
	c.t.Helper()
	for {
		j, err := journal.Open(c.t.Context(), c.url(), "test", journal.Config{Replicas: 3, Timeout: 2 * time.Second})
		if err == nil {
			c.t.Cleanup(func() { closed(c.t, j) })
			return j
		}
		if !errors.Is(err, journal.ErrUnavailable) {
			c.t.Fatalf("open a journal of a cluster: %v", err)
		}
		time.Sleep(50 * time.Millisecond) // between attempts
	}
}

func TestJournalOfAClusterThatLostItsQuorum(t *testing.T) {
	c := newCluster(t)
	j := c.open()
	appended(t, j, texts(1, 100)...)
	if err := joined().Replay(j).Run(t.Context()); err != nil {
		t.Errorf("fold on a cluster: got %v, want no error", err)
	}
	c.brokers[1].Close()
	c.brokers[2].Close()
	if _, err := j.Append(t.Context(), texts(101, 103)...); !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("append without a quorum: got %v, want ErrUnavailable", err)
	}
	c.start(1)
	c.start(2)
	second := c.open()
	last, err := second.Last(t.Context())
	if err != nil || last < 100 {
		t.Errorf("last message with the quorum again: got %d, %v; want at least 100", last, err)
	}
	for {
		if _, err = second.Append(t.Context(), texts(200, 200)...); !errors.Is(err, journal.ErrUnavailable) {
			break
		}
	}
	if err != nil {
		t.Errorf("append with the quorum again: got %v", err)
	}
	var carry journal.Carry[string]
	for { // the stream of the carry elects its leader by itself
		if carry, err = joined().Replay(second).Last(t.Context()).Get(); !errors.Is(err, journal.ErrUnavailable) {
			break
		}
	}
	if err != nil || !strings.HasPrefix(carry.Value, "1 2 3 4 5 ") || !strings.HasSuffix(carry.Value, " 200 ") || strings.Count(carry.Value, " 100 ") != 1 {
		t.Errorf("fold with the quorum again: got %q, %v; want all messages once", carry.Value, err)
	}
}
