package socket_test

import (
	"errors"
	"fmt"

	"github.com/rxipc/rxipc/socket"
)

func ExampleParseName() {
	name, err := socket.ParseName("image-resizer")
	fmt.Println(name, err)

	_, err = socket.ParseName("image/resizer")
	fmt.Println(errors.Is(err, socket.ErrInvalid))
	fmt.Println(err)
	// Output:
	// image-resizer <nil>
	// true
	// socket: parse name: invalid: "image/resizer" has '/' at byte 5, only a-z, A-Z, 0-9, '-' and '_' are allowed
}

func ExampleParseMediaType() {
	mt, err := socket.ParseMediaType("application/ld+json;charset=utf-8;version=1")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(mt)
	fmt.Println(mt.TopLevel(), mt.Sub(), mt.Suffix())
	for name, value := range mt.Parameters() {
		fmt.Println(name, "is", value)
	}

	_, err = socket.ParseMediaType("text/*")
	fmt.Println(err)
	// Output:
	// application/ld+json; charset=utf-8, version=1
	// application ld json
	// charset is utf-8
	// version is 1
	// socket: parse media type: invalid: media type "text/*": expected a letter or a digit at byte 5
}

func ExampleMessage() {
	hello := socket.Text("hello")
	order := socket.NewMessage(socket.JSON(), `{"id": 42}`)

	fmt.Println(hello, "and", order) // sizes, not contents: this is for logs
	fmt.Println(order.Content())
	fmt.Println(hello == socket.NewMessageBytes(socket.TextPlain(), []byte("hello")))
	// Output:
	// text/plain (5 bytes) and application/json (10 bytes)
	// {"id": 42}
	// true
}
