module github.com/rxipc/rxipc/socket/rpc/protobuf

go 1.26

require (
	github.com/rxipc/rxipc v0.0.0
	google.golang.org/protobuf v1.36.11
)

require (
	github.com/google/go-cmp v0.7.0 // indirect
	golang.org/x/sys v0.46.0 // indirect
)

replace github.com/rxipc/rxipc => ../../../
