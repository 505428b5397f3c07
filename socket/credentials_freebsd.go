package socket

// peerProcess: the system tells the user alone.
func peerProcess(int) (int, error) { return 0, nil }
