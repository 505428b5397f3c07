//go:build !linux

package system

// notifier reports nothing on this system: the waiter's period finds what has changed.
type notifier struct{}

func notify(folder, name string) *notifier { return nil }

func (*notifier) changed() <-chan struct{} { return nil }

func (*notifier) stop() {}
