package nats

import (
	"crypto/rand"
	"strings"

	"github.com/rxipc/rxipc/socket"
)

// The subjects, where FROM is the user who publishes:
//
//	PREFIX.open.NAME.FROM              a client opens a session with the server of a name
//	PREFIX.to.USER.LINK.SESSION.FROM   a message for a session of a user's process
//	PREFIX.who.NAME.FROM               a server asks who has its name
//	PREFIX.names.FROM                  anybody asks for all names
//
// LINK and SESSION are random, so only those who got them from this process can send to it.
type subjects struct{ prefix, user, link string }

// nobody is the user in a subject if there is none. anybody is in a subject for answers, in the place
// of the user who answers.
const (
	nobody  = "_"
	anybody = "_"
)

func newSubjects(prefix, user string) subjects {
	return subjects{prefix + ".", user, rand.Text()}
}

func (s subjects) open(name socket.Name) string {
	return s.prefix + "open." + name.String() + "." + s.user
}
func (s subjects) who(name socket.Name) string {
	return s.prefix + "who." + name.String() + "." + s.user
}
func (s subjects) names() string { return s.prefix + "names." + s.user }

// inbox begins the subjects of all messages to this process.
func (s subjects) inbox() string { return s.prefix + "to." + s.user + "." + s.link + "." }

// ofAll returns the subject with any publisher.
func ofAll(subject string) string { return cutLast(subject) + "*" }

// reply returns the subject of a session of this process, for messages of a user.
func (s subjects) reply(session, from string) string { return s.inbox() + session + "." + from }

// from returns the subject with this process as the publisher.
func (s subjects) from(subject string) string { return cutLast(subject) + s.user }

// isInbox reports whether messages to the subject go to a session of a process.
func (s subjects) isInbox(subject string) bool { return strings.HasPrefix(subject, s.prefix+"to.") }

// cutLast returns a subject without its last token.
func cutLast(subject string) string { return subject[:strings.LastIndexByte(subject, '.')+1] }

// last returns the last token of a subject.
func last(subject string) string { return subject[strings.LastIndexByte(subject, '.')+1:] }

// isToken reports whether text can be a token of a subject that is published to.
func isToken(text string) bool {
	return text != "" && !strings.ContainsAny(text, ".*> \t\r\n")
}

// isPrefix reports whether text can begin subjects.
func isPrefix(text string) bool {
	for token := range strings.SplitSeq(text, ".") {
		if !isToken(token) {
			return false
		}
	}
	return true
}
