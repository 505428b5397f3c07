package systemd

import (
	"os"
	"slices"
	"strconv"
	"testing"
)

func TestTakeListenNames(t *testing.T) {
	own, other := strconv.Itoa(os.Getpid()), strconv.Itoa(os.Getppid())
	for _, test := range []struct {
		pid, count, names string
		want              []string
		fails             bool
	}{
		{},
		{pid: own, count: "2", names: "a:b", want: []string{"a", "b"}},
		{count: "1", names: "a", want: []string{"a"}},
		{count: "2", want: []string{"", ""}},
		{count: "0", want: []string{}},
		{pid: other, count: "1", names: "a"},
		{pid: own, names: "a"},
		{count: "2", names: "a", want: []string{"", ""}, fails: true},
		{count: "-1", fails: true},
		{count: "many", fails: true},
		{count: "1000000", fails: true},
	} {
		t.Setenv(listenPID, test.pid)
		t.Setenv(listenFDs, test.count)
		t.Setenv(listenNames, test.names)
		got, err := TakeListenNames()
		if !slices.Equal(got, test.want) || (err != nil) != test.fails {
			t.Errorf("TakeListenNames with the variables of %+v: got %q, %v", test, got, err)
		}
		for _, key := range []string{listenPID, listenFDs, listenNames} {
			if value, found := os.LookupEnv(key); found {
				t.Errorf("TakeListenNames of %+v left %s=%s", test, key, value)
			}
		}
	}
}

func TestListenEnvironReplacesTheVariablesOfThisProcess(t *testing.T) {
	environ := []string{"PATH=/bin", "LISTEN_PID=1", "LISTEN_FDS=7", "LISTEN_FDNAMES=x", "WATCHDOG_PID=1", "WATCHDOG_USEC=5"}
	got := ListenEnviron(environ, "a", "b")
	want := []string{"PATH=/bin", "WATCHDOG_USEC=5", "LISTEN_FDS=2", "LISTEN_FDNAMES=a:b"}
	if !slices.Equal(got, want) {
		t.Errorf("ListenEnviron: got %q, want %q", got, want)
	}
}
