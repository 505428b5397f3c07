package socket

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rxipc/rxipc/fold"
)

// succeeds asserts that an action had no error.
func succeeds(t testing.TB, action string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: got the error %v, want none", action, err)
	}
}

// must returns the value of an action that has no error.
func must[T any](t testing.TB, action string, result fold.Attempt[T]) T {
	t.Helper()
	value, err := result.Get()
	if err != nil {
		t.Fatalf("%s: got the error %v, want none", action, err)
	}
	return value
}

// fails asserts that an action had an error that is want.
func fails(t testing.TB, action string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got the error %v, want %v", action, err, want)
	}
}

// returns asserts that an action returned want.
func returns[T comparable](t testing.TB, action string, result fold.Attempt[T], want T) {
	t.Helper()
	if got, err := result.Get(); err != nil || got != want {
		t.Errorf("%s: got %v and the error %v, want %v", action, got, err, want)
	}
}

// receives asserts that an action returned a text message with the content want.
func receives(t testing.TB, action string, result fold.Attempt[Message], want string) {
	t.Helper()
	if m, err := result.Get(); err != nil || m != Text(want) {
		t.Errorf("%s: got %v with the content %.100q, error %v; want the text %.100q", action, m, m.Content(), err, want)
	}
}

// failsToSend asserts that an action had a SendError with these numbers, which is want.
func failsToSend(t testing.TB, action string, err error, sent, acknowledged int, want error) {
	t.Helper()
	if e := sendError(t, err); e.Sent != sent || e.Acknowledged != acknowledged || !errors.Is(err, want) {
		t.Errorf("%s: got the error %v with %d sent and %d acknowledged; want %v with %d and %d",
			action, err, e.Sent, e.Acknowledged, want, sent, acknowledged)
	}
}

// contains asserts that a text has all of words in it.
func contains(t testing.TB, what, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%s is %q, want %q in it", what, text, word)
		}
	}
}

// says asserts that an error is all of the sentinels, and that its text has each of words
// and no prefix twice.
func says(t *testing.T, what string, err error, sentinels []error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s succeeded, want a failure that is %v", what, sentinels)
		return
	}
	for _, sentinel := range sentinels {
		if !errors.Is(err, sentinel) {
			t.Errorf("%s failed with %q, want %q", what, err, sentinel)
		}
	}
	contains(t, "the error of "+what, err.Error(), words...)
	if n := strings.Count(err.Error(), prefix); n != 1 || !strings.HasPrefix(err.Error(), prefix) {
		t.Errorf("%s failed with %q, which has the prefix %d times, want once, first", what, err, n)
	}
}

// sendError is the SendError in err.
func sendError(t testing.TB, err error) *SendError {
	t.Helper()
	var e *SendError
	if !errors.As(err, &e) {
		t.Fatalf("got the error %v, want a SendError", err)
	}
	return e
}

// interrupted asserts that a server was interrupted, with a carry and a cause.
func interrupted[C comparable](t *testing.T, result fold.Attempt[C], carry C, cause error) {
	t.Helper()
	_, err := result.Get()
	var e *InterruptedError[C]
	if !errors.As(err, &e) || e.Carry != carry || !errors.Is(err, cause) {
		t.Errorf("the server ended with %v, want it interrupted with the carry %v by %v", result, carry, cause)
	}
}

// same asserts that two lists are equal.
func same[T comparable](t testing.TB, got []T, want ...T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
