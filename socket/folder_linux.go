package socket

import (
	"os"
	"strings"
	"sync"
)

// isUnmapped reports whether a number stands for the users that this process cannot
// name: in a sandbox, a user namespace that an ordinary user made, root is one of
// them, and / and /tmp seem to belong to it.
func isUnmapped(uid int) bool { return uid == overflowUser() }

// overflowUser is the number of unmapped users, or -1 where all are mapped.
var overflowUser = sync.OnceValue(func() int {
	const number = 65534 // of the kernel, unless somebody changed it
	mapped, err := os.ReadFile("/proc/self/uid_map")
	fields := strings.Fields(string(mapped))
	if err != nil || len(fields) == 3 && fields[2] == "4294967295" {
		return -1
	}
	return number
})
