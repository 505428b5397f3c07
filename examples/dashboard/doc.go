// Command dashboard follows a log of requests, JSON lines such as {"path": "/a", "ms": 12.5}. It
// prints each second how many requests came, the five most frequent paths, and the 99th
// percentile of the times. At Ctrl-C it prints the same of all requests:
//
//	go run -C examples/dashboard . access.jsonl
//
// The counts of paths are within a thousandth of the number of requests, the percentiles within
// 1%, in memory that does not grow with the log. Lines that are no requests are counted and left
// out. The log may be rotated by rename or truncation.
//
// A second is one of the monotonic clock, at which a request is read. So neither a wall clock
// that is set nor the times that lines carry change the windows.
// operators.FoldEventTimeByKey has windows by the times that lines carry.
//
// The example is a module of its own, as package sketch is.
package main
