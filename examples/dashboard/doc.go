// Command dashboard follows a log of requests, JSON lines such as {"path": "/a", "ms": 12.5}. It
// prints each second how many requests came, the 99th percentile of the times within 1%, and the
// five most frequent paths. At Ctrl-C it prints the same of all requests:
//
//	go run ./examples/dashboard access.jsonl
//
// Lines that are no requests are counted and left out. The log may be rotated by rename or
// truncation.
//
// A second is one of the monotonic clock, at which a request is read. So neither a wall clock
// that is set nor the times that lines carry change the windows.
// operators.FoldEventTimeByKey has windows by the times that lines carry.
package main
