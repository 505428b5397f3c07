//go:build !unix

package text

import (
	"context"
	"io"
	"os"
)

// polling returns false: there is no poll(2).
func polling(context.Context, *os.File) (io.Reader, func(), bool) { return nil, nil, false }
