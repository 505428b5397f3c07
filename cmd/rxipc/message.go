package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
	"github.com/rxipc/rxipc/stream/text"
)

// input are the flags that say where messages come from.
type input struct {
	mediaType string
	files     []string
	lines     bool
	args      []string
}

func (i *input) addFlags(command *cobra.Command) {
	command.Flags().StringVarP(&i.mediaType, "type", "t", "", "media type (default: guessed from the content, or a file's name)")
	command.Flags().StringArrayVarP(&i.files, "file", "f", nil, "send a file's content; may be repeated")
	command.Flags().BoolVarP(&i.lines, "lines", "l", false, "send each line of the standard input, instead of all of it")
}

const inputHelp = `Messages are the arguments and the files. Without them the standard input is a message, and with
--lines each of its lines is one.`

// messages returns the messages, as a source that reads them when they are wanted.
func (i *input) messages(in io.Reader) (stream.Observable[socket.Message], error) {
	fixed, err := i.parse()
	if err != nil {
		return nil, err
	}
	if i.lines && len(i.args)+len(i.files) > 0 {
		return nil, fmt.Errorf("%w: --lines reads the standard input; there are messages in the arguments, too", errUsage)
	}
	var source stream.Observable[string]
	switch {
	case i.lines:
		source = text.Lines(in)
	case len(i.args) > 0:
		source = stream.FromSlice(i.args)
	case len(i.files) == 0:
		source = stream.Defer(func() stream.Observable[string] {
			content, err := io.ReadAll(in)
			if err != nil {
				return stream.Throw[string](fmt.Errorf("read the standard input: %w", err))
			}
			return stream.Just(string(content))
		})
	default:
		source = stream.Empty[string]()
	}
	return func(ctx context.Context, yield func(socket.Message) bool) error {
		for _, path := range i.files {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if !yield(message(fixed, mime.TypeByExtension(filepath.Ext(path)), string(content))) {
				return nil
			}
		}
		return source(ctx, func(content string) bool { return yield(message(fixed, "", content)) })
	}, nil
}

// parse parses the media type of the flag. Without the flag it is zero.
func (i *input) parse() (socket.MediaType, error) {
	if i.mediaType == "" {
		return socket.MediaType{}, nil
	}
	parsed, err := socket.ParseMediaType(i.mediaType)
	if err != nil {
		return parsed, fmt.Errorf("%w: --type: %w", errUsage, err)
	}
	return parsed, nil
}

// message returns a message. Its media type is fixed unless that is zero, then known if it parses,
// and otherwise a guess.
func message(fixed socket.MediaType, known, content string) socket.Message {
	if fixed.IsZero() {
		var err error
		if fixed, err = socket.ParseMediaType(known); err != nil {
			fixed = guess(content)
		}
	}
	return socket.NewMessage(fixed, content)
}

// guess returns a media type for a content.
func guess(content string) socket.MediaType {
	trimmed := strings.TrimSpace(content)
	switch {
	case strings.HasPrefix(trimmed, "{"), strings.HasPrefix(trimmed, "["):
		if json.Valid([]byte(trimmed)) {
			return socket.JSON()
		}
	}
	if utf8.ValidString(content) {
		return socket.TextPlain()
	}
	return socket.OctetStream()
}

// print prints a message: its content, which ends with a new line if it is a text, or an object.
func (o *options) print(out io.Writer, m socket.Message) error {
	content := m.Content()
	if !o.json {
		if utf8.ValidString(content) && !strings.HasSuffix(content, "\n") {
			content += "\n"
		}
		_, err := io.WriteString(out, content)
		return err
	}
	return printJSON(out, objectOf(m))
}

// objectOf returns a message as JSON.
func objectOf(m socket.Message) messageObject {
	content := m.Content()
	object := messageObject{MediaType: m.MediaType().String()}
	if utf8.ValidString(content) {
		object.Content = &content
	} else {
		encoded := base64.StdEncoding.EncodeToString([]byte(content))
		object.Base64 = &encoded
	}
	return object
}

// messageObject is a message as JSON. It has either Content or Base64.
type messageObject struct {
	MediaType string  `json:"mediaType"`
	Content   *string `json:"content,omitempty"`
	Base64    *string `json:"base64,omitempty"` // for a content that is no UTF-8
}

// printJSON prints a value as a line of JSON.
func printJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
