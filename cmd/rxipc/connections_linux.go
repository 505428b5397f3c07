package main

import (
	"bufio"
	"io"
	"os"
	"strings"
)

// openConnections counts the connections of servers by the paths of their sockets, those of all
// users, as the kernel lists them.
func openConnections() (map[string]int, bool) {
	file, err := os.Open("/proc/net/unix")
	if err != nil {
		return nil, false
	}
	defer file.Close()
	return countConnections(file), true
}

// connected is the state of a socket with another end.
const connected = "03"

// countConnections counts in a text of the form of /proc/net/unix:
//
//	Num       RefCount Protocol Flags    Type St Inode Path
//	0000000000000000: 00000003 00000000 00000000 0001 03 12345 /run/a.sock
//
// The server's end of a connection has the path of the socket that it was accepted from, the
// client's end has none.
func countConnections(text io.Reader) map[string]int {
	counts := make(map[string]int)
	for lines := bufio.NewScanner(text); lines.Scan(); {
		fields := strings.SplitN(strings.Join(strings.Fields(lines.Text()), " "), " ", 8)
		if len(fields) == 8 && fields[5] == connected {
			counts[fields[7]]++
		}
	}
	return counts
}
