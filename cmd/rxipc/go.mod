module github.com/rxipc/rxipc/cmd/rxipc

go 1.26

require (
	github.com/HdrHistogram/hdrhistogram-go v1.4.0
	github.com/rxipc/rxipc v0.0.0
	github.com/spf13/cobra v1.10.2
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	golang.org/x/sys v0.46.0 // indirect
)

replace github.com/rxipc/rxipc => ../../
