module github.com/rxipc/rxipc/cmd/rxipc

go 1.26.0

require (
	github.com/HdrHistogram/hdrhistogram-go v1.4.0
	github.com/creack/pty v1.1.24
	github.com/rxipc/rxipc v0.0.0
	github.com/rxipc/rxipc/inspect v0.0.0
	github.com/spf13/cobra v1.10.2
	golang.org/x/term v0.48.0
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	golang.org/x/sys v0.50.0 // indirect
)

replace (
	github.com/rxipc/rxipc => ../../
	github.com/rxipc/rxipc/inspect => ../../inspect
)
