package pubsub

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rxipc/rxipc/socket"
)

// topicParameter is the parameter of a published message's media type that holds its topic.
const topicParameter = "topic"

// maxTopic is the highest length of a topic or pattern, in bytes.
const maxTopic = 255

// WithTopic returns the message as it is published under a topic: the same content, with the
// topic as the first parameter of the media type. A client sends such a message to a server
// that publishes what clients send, see [Split]. It fails with socket.ErrInvalid if the topic
// is invalid.
func WithTopic(topic string, m socket.Message) (socket.Message, error) {
	if err := checkTopic(topic); err != nil {
		return socket.Message{}, err
	}
	essence, parameters, more := strings.Cut(m.MediaType().String(), "; ")
	text := essence + "; " + topicParameter + "=" + topic
	if more {
		text += ", " + parameters
	}
	mediaType, err := socket.ParseMediaType(text)
	if err != nil {
		return socket.Message{}, err
	}
	return socket.NewMessage(mediaType, m.Content()), nil
}

// Split returns the topic of a published message, and the message without it. It is not ok if
// the message has no topic.
func Split(m socket.Message) (topic string, bare socket.Message, ok bool) {
	topic, mediaType, ok := splitMediaType(m.MediaType())
	if !ok {
		return "", m, false
	}
	return topic, socket.NewMessage(mediaType, m.Content()), true
}

// splitMediaType takes the first topic out of a media type.
func splitMediaType(mediaType socket.MediaType) (topic string, bare socket.MediaType, ok bool) {
	text, _, _ := strings.Cut(mediaType.String(), "; ")
	separator := "; "
	for name, value := range mediaType.Parameters() {
		if !ok && strings.EqualFold(name, topicParameter) {
			topic, ok = value, true
			continue
		}
		if value == "" {
			value = `""`
		}
		text += separator + name + "=" + value
		separator = ", "
	}
	if !ok || checkTopic(topic) != nil {
		return "", mediaType, false
	}
	return topic, socket.MustParseMediaType(text), true // it was valid with one parameter more
}

// checkTopic returns an error for an invalid topic.
func checkTopic(topic string) error { return checkTokens("topic", topic, isWord) }

// checkPattern returns an error for an invalid pattern.
func checkPattern(pattern string) error {
	if pattern == ">" {
		return nil
	}
	return checkTokens("pattern", strings.TrimSuffix(pattern, ".>"), func(token string) bool { return token == "*" || isWord(token) })
}

func checkTokens(what, text string, valid func(string) bool) error {
	if len(text) > maxTopic {
		return fmt.Errorf("%w: a %s of %d bytes, the limit is %d", socket.ErrInvalid, what, len(text), maxTopic)
	}
	for token := range strings.SplitSeq(text, ".") {
		if !valid(token) {
			return fmt.Errorf("%w: %s %q: %q is no word of letters, digits, '-' and '_'", socket.ErrInvalid, what, text, token)
		}
	}
	return nil
}

// isWord reports whether text is one or more letters, digits, '-' and '_'.
func isWord(text string) bool {
	_, err := socket.ParseName(text)
	return err == nil
}

// matchesAny reports whether a topic matches one of the patterns.
func matchesAny(patterns []string, topic string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, topic) })
}

// matches reports whether a valid topic matches a valid pattern.
func matches(pattern, topic string) bool {
	for {
		want, wantRest, wantMore := strings.Cut(pattern, ".")
		if want == ">" {
			return true
		}
		word, wordRest, wordMore := strings.Cut(topic, ".")
		if want != "*" && want != word {
			return false
		}
		if !wantMore || !wordMore {
			return wantMore == wordMore
		}
		pattern, topic = wantRest, wordRest
	}
}
