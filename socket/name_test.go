package socket

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestParseName(t *testing.T) {
	for _, text := range []string{"a", "Z", "0", "-", "_", "foo-bar_42", strings.Repeat("n", 1000)} {
		name, err := ParseName(text)
		if err != nil || name.String() != text || name.IsZero() {
			t.Errorf("ParseName(%q) = %v, %v; want the name", text, name, err)
		}
	}
}

func TestParseNameSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":        "socket: parse name: invalid: the name is empty",
		"foo.bar": `socket: parse name: invalid: "foo.bar" has '.' at byte 3`,
	} {
		name, err := ParseName(text)
		if !errors.Is(err, ErrInvalid) || !name.IsZero() || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("ParseName(%q) = %v, %v; want ErrInvalid and %s", text, name, err, want)
		}
	}
}

func TestMustParseNamePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("MustParseName of a bad name returned, want a panic")
		}
	}()
	MustParseName("not good")
}

func TestNameTravelsAsText(t *testing.T) {
	type config struct{ Server Name }
	text, err := json.Marshal(config{MustParseName("counter")})
	if err != nil || string(text) != `{"Server":"counter"}` {
		t.Fatalf("Marshal = %s, %v; want the name counter", text, err)
	}
	var back config
	if err := json.Unmarshal(text, &back); err != nil || back.Server != MustParseName("counter") {
		t.Errorf("Unmarshal = %v, %v; want the name counter", back, err)
	}
	if err := json.Unmarshal([]byte(`{"Server":"a b"}`), &back); !errors.Is(err, ErrInvalid) {
		t.Errorf("a bad name: %v", err)
	}
	if back.Server != MustParseName("counter") {
		t.Errorf("Unmarshal of a bad name left %v, want counter as before", back.Server)
	}
	if _, err := (Name{}).MarshalText(); !errors.Is(err, ErrInvalid) {
		t.Errorf("the zero name: %v", err)
	}
}

func TestErrorNamesTheOperationAndTheProcess(t *testing.T) {
	err := error(&Error{Op: "dial", Name: "counter", Err: ErrNotListening})
	if err.Error() != "socket: dial counter: nobody listens" || !errors.Is(err, ErrNotListening) {
		t.Errorf("text of a dial error: got %q, want the operation and the name", err)
	}
	err = &Error{Op: "names", Err: ErrInvalid}
	if err.Error() != "socket: names: invalid" {
		t.Errorf("text of an error without a name: got %q, want socket: names: invalid", err)
	}
}
