module github.com/rxipc/rxipc

go 1.26

require (
	github.com/google/go-cmp v0.7.0
	github.com/reactivex/rxgo/v2 v2.5.0
	golang.org/x/sys v0.46.0
)

require (
	github.com/cenkalti/backoff/v4 v4.0.0 // indirect
	github.com/davecgh/go-spew v1.1.0 // indirect
	github.com/emirpasic/gods v1.12.0 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	github.com/stretchr/objx v0.1.0 // indirect
	github.com/stretchr/testify v1.4.0 // indirect
	github.com/teivah/onecontext v0.0.0-20200513185103-40f981bfd775 // indirect
	gopkg.in/yaml.v2 v2.2.2 // indirect
)
