package rpc

// Problems returns the problems that a server answers with.
func Problems() []*Problem {
	return []*Problem{ErrUnknownMethod, ErrBadRequest, ErrFailed, errPanicked, errDeadline, errShutdown, errTooLarge, errReserved, errBusy}
}
