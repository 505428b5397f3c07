module github.com/rxipc/rxipc/examples/dashboard

go 1.26

require (
	github.com/rxipc/rxipc v0.0.0
	github.com/rxipc/rxipc/fold/sketch v0.0.0
)

require (
	github.com/DataDog/sketches-go v1.4.7 // indirect
	github.com/axiomhq/hyperloglog v0.2.5 // indirect
	github.com/bits-and-blooms/bitset v1.24.2 // indirect
	github.com/bits-and-blooms/bloom/v3 v3.7.1 // indirect
	github.com/dgryski/go-metro v0.0.0-20180109044635-280f6062b5bc // indirect
	github.com/kamstrup/intmap v0.5.1 // indirect
	golang.org/x/sys v0.46.0 // indirect
	google.golang.org/protobuf v1.32.0 // indirect
)

replace (
	github.com/rxipc/rxipc => ../../
	github.com/rxipc/rxipc/fold/sketch => ../../fold/sketch
)
