module github.com/rxipc/rxipc

go 1.26

require (
	github.com/google/go-cmp v0.7.0
	golang.org/x/sys v0.46.0
)
