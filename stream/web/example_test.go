package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/stream/web"
)

func ExamplePoll() {
	price := 10
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		price++
		fmt.Fprintf(w, "%d euros", price/2) // every other answer is the same again
	}))
	defer server.Close()

	prices := web.Poll(server.URL, web.PollOptions{Client: server.Client(), Every: time.Millisecond})
	err := operators.Take[web.Page](3)(prices).ForEach(context.Background(), func(p web.Page) {
		fmt.Println(string(p.Body))
	})
	fmt.Println(err)
	// Output:
	// 5 euros
	// 6 euros
	// 7 euros
	// <nil>
}
