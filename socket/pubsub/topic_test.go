package pubsub

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/socket"
)

func TestTopicsMatchPatterns(t *testing.T) {
	for _, test := range []struct {
		pattern string
		yes, no []string
	}{
		{"a", []string{"a"}, []string{"b", "a.b", "A"}},
		{"a.b", []string{"a.b"}, []string{"a", "a.c", "a.b.c", "b.a"}},
		{"*", []string{"a", "long_word-1"}, []string{"a.b"}},
		{"a.*.c", []string{"a.b.c", "a.x.c"}, []string{"a.c", "a.b.b.c", "a.b", "a.b.c.d"}},
		{">", []string{"a", "a.b", "a.b.c"}, nil},
		{"a.>", []string{"a.b", "a.b.c"}, []string{"a", "b.a"}},
		{"*.b.>", []string{"a.b.c", "x.b.c.d"}, []string{"a.b", "a.c.b"}},
	} {
		if err := checkPattern(test.pattern); err != nil {
			t.Errorf("check the pattern %q: got %v, want no error", test.pattern, err)
		}
		for _, topic := range append(test.yes, test.no...) {
			if got, want := matches(test.pattern, topic), strings.Contains(" "+strings.Join(test.yes, " ")+" ", " "+topic+" "); got != want {
				t.Errorf("match %q with %q: got %v, want %v", topic, test.pattern, got, want)
			}
		}
	}
}

func TestTopicGrammar(t *testing.T) {
	long := strings.Repeat("a", maxTopic)
	for _, topic := range []string{"", ".", "a.", ".a", "a..b", "a b", "a.*", ">", "ä", "a/b", "a;b", "a.b=c", long + "a"} {
		if err := checkTopic(topic); !errors.Is(err, socket.ErrInvalid) {
			t.Errorf("check the topic %q: got %v, want ErrInvalid", topic, err)
		}
	}
	for _, pattern := range []string{"", "a.", ">.a", "a.>.b", "a*", "*a", "a>", "a.>>", ".>", "a..>", long + "a"} {
		if err := checkPattern(pattern); !errors.Is(err, socket.ErrInvalid) {
			t.Errorf("check the pattern %q: got %v, want ErrInvalid", pattern, err)
		}
	}
	for _, topic := range []string{"a", "A.b-c.d_e.9", long} {
		if err := checkTopic(topic); err != nil {
			t.Errorf("check the topic %q: got %v, want no error", topic, err)
		}
	}
}

// FuzzTopicMatch compares matches with a regular expression.
func FuzzTopicMatch(f *testing.F) {
	f.Add("a.*.>", "a.b.c")
	f.Add(">", "x")
	f.Add("a.b", "a.b.c")
	f.Fuzz(func(t *testing.T, pattern, topic string) {
		if checkPattern(pattern) != nil || checkTopic(topic) != nil {
			return
		}
		text := strings.NewReplacer(".", `\.`, "*", `[^.]+`, ">", `.+`).Replace(pattern)
		if got, want := matches(pattern, topic), regexp.MustCompile("^"+text+"$").MatchString(topic); got != want {
			t.Errorf("match %q with %q: got %v, want %v as of %q", topic, pattern, got, want, text)
		}
	})
}

func TestTopicTravelsInTheMediaType(t *testing.T) {
	for _, test := range []struct{ bare, published string }{
		{"text/plain", "text/plain; topic=a.b"},
		{"text/plain; charset=utf-8, x=\"\"", "text/plain; topic=a.b, charset=utf-8, x=\"\""},
		{"application/x+json; topic=mine", "application/x+json; topic=a.b, topic=mine"},
	} {
		m := socket.NewMessage(socket.MustParseMediaType(test.bare), "content")
		published, err := WithTopic("a.b", m)
		if err != nil || published.MediaType().String() != test.published || published.Content() != "content" {
			t.Errorf("publish a message of type %s: got %s, %v, want %s", test.bare, published.MediaType(), err, test.published)
		}
		if topic, got, ok := Split(published); topic != "a.b" || got != m || !ok {
			t.Errorf("split a message of type %s: got %q, %v, %v, want %v", published.MediaType(), topic, got, ok, m)
		}
	}
	elsewhere := socket.NewMessage(socket.MustParseMediaType("text/plain; charset=utf-8; TOPIC=x"), "")
	if topic, bare, ok := Split(elsewhere); topic != "x" || bare.MediaType().String() != "text/plain; charset=utf-8" || !ok {
		t.Errorf("split a message whose topic is the last parameter: got %q, %v, %v", topic, bare, ok)
	}
	for _, text := range []string{"text/plain", "text/plain; topic=a*", "text/plain; topic=\"\""} {
		m := socket.NewMessage(socket.MustParseMediaType(text), "")
		if topic, bare, ok := Split(m); topic != "" || bare != m || ok {
			t.Errorf("split a message of type %s: got %q, %v, %v, want it unchanged", text, topic, bare, ok)
		}
	}
	if _, err := WithTopic("a b", socket.Text("")); !errors.Is(err, socket.ErrInvalid) {
		t.Errorf("publish under an invalid topic: got %v, want ErrInvalid", err)
	}
	if _, err := WithTopic("a", socket.Message{}); !errors.Is(err, socket.ErrInvalid) {
		t.Errorf("publish the zero message: got %v, want ErrInvalid", err)
	}
}

// FuzzTopicRequest reads any subscription, and reads what it makes of it again.
func FuzzTopicRequest(f *testing.F) {
	f.Add("text/plain; pubsub=subscribe, overflow=fail, buffer=3", "a.>\r\n\nb")
	f.Add("text/plain; pubsub=subscribe", "")
	f.Fuzz(func(t *testing.T, mediaType, content string) {
		mt, err := socket.ParseMediaType(mediaType)
		if err != nil {
			return
		}
		r, err := requestOf(socket.NewMessage(mt, content))
		if err != nil {
			return
		}
		again, err := requestOf(r.message())
		if err != nil || len(again.patterns) != len(r.patterns) || again.overflow != r.overflow || again.buffer != r.buffer {
			t.Errorf("read the request %+v again: got %+v, %v", r, again, err)
		}
	})
}
