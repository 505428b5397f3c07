module github.com/rxipc/rxipc/benchmarks

go 1.26

require github.com/rxipc/rxipc v0.0.0

replace github.com/rxipc/rxipc => ../
