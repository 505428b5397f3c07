package streamtest

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestRead(t *testing.T) {
	for text, want := range map[string]string{
		"":                "0:",
		"---":             "3:",
		"-a-b-|":          "6: a1 b3 |5",
		"a":               "1: a0",
		" -a  - b ":       "4: a1 b3",
		"-(ab)-c#":        "5: a1 b1 c3 #4",
		"(^a)!":           "2: ^0 a0 !1",
		"(a|)":            "1: a0 |0",
		"10ms a":          "11: a10",
		"- 10ms a|":       "13: a11 |12",
		"a 1s b 1m2s c|":  "63004: a0 b1001 c63002 |63003",
		"1.5s |":          "1501: |1500",
		"10msa":           "5: 10 01 m2 s3 a4",
		"- 1 2 h":         "4: 11 22 h3",
		"--^--!":          "6: ^2 !5",
		"äö|":             "3: ä0 ö1 |2",
		"-a(b)":           "3: a1 b2",
		"- 2ms - 3ms (a)": "8: a7",
	} {
		d, err := read(text, time.Millisecond)
		if err != nil {
			t.Errorf("reading the diagram %q: got %v, want no error", text, err)
			continue
		}
		got := fmt.Sprintf("%d:", d.length)
		for _, m := range d.marks {
			got += fmt.Sprintf(" %c%d", m.sign, m.frame)
		}
		if got != want {
			t.Errorf("%q reads %s, want %s", text, got, want)
		}
	}
}

func TestDiagramMistakesPointAtTheirColumn(t *testing.T) {
	for _, c := range []struct{ text, says, pointer string }{
		{"-a(b-c)", `column 5: '-' in a group, which is one frame`, "    ^"},
		{"-(a(b))", `column 4: '(' in a group, which is one frame`, "   ^"},
		{"-a)-", `column 3: no group to close`, "  ^"},
		{"-a(bc", `column 3: this group is not closed`, "  ^"},
		{"-a-()-|", `column 5: empty group`, "    ^"},
		{"-|-a", `column 4: 'a' after the end`, "   ^"},
		{"-|--", `column 2: time goes on after the end`, " ^"},
		{"(#a)", `column 3: 'a' after the end`, "  ^"},
		{"-!a", `column 3: 'a' after the end`, "  ^"},
		{"-^-^", `column 4: a second '^'`, "   ^"},
		{"-a\t|", `column 3: '\t' is not a name`, "  ^"},
		{"a 10us |", `column 3: 10us is no multiple of a frame, 1ms`, "  ^"},
	} {
		_, err := read(c.text, time.Millisecond)
		want := fmt.Sprintf("diagram, %s\n    %s\n    %s", c.says, c.text, c.pointer)
		if err == nil || err.Error() != want {
			t.Errorf("%q: got\n%v\nwant\n%s", c.text, err, want)
		}
	}
}

func TestDiagramMistakesEndTheTest(t *testing.T) {
	for says, f := range map[string]func(*Bench){
		`column 2: '^' has no meaning in a cold source`:               func(b *Bench) { b.Cold("-^") },
		`column 2: '!' has no meaning in a cold source`:               func(b *Bench) { b.Cold("-!") },
		`column 3: '!' has no meaning in a hot source`:                func(b *Bench) { b.Hot("-^!") },
		`column 1: 'a' before the subscription`:                       func(b *Bench) { b.Expect(b.Cold("|"), "a^") },
		`column 2: 'a' is bound to no int`:                            func(b *Bench) { Cold[int](b, "1a") },
		`column 1: 'x' is bound to no struct {}`:                      func(b *Bench) { Cold(b, "x", map[rune]struct{}{'a': {}}) },
		`column 3: '|' has no meaning in a diagram of a subscription`: func(b *Bench) { Watch(b, b.Cold("|"), "^-|") },
		`column 2: 'a' has no meaning in a diagram of a subscription`: func(b *Bench) { Watch(b, b.Cold("|"), "^a") },
		`column 1: a diagram of a subscription begins with ^`:         func(b *Bench) { Watch(b, b.Cold("|"), "-!") },
		`column 2: 'a' after the failure 'x'`: func(b *Bench) {
			b.BindError('x', errFeed)
			b.Cold("xa")
		},
		`column 1: time goes on after the failure 'x'`: func(b *Bench) {
			b.BindError('x', errFeed)
			b.Cold("x-")
		},
		`'|' is a sign of diagrams, not a name`: func(b *Bench) { b.BindError('|', errFeed) },
	} {
		if said := reportOf(t, f); !strings.Contains(said, says) {
			t.Errorf("got %q, want %q", said, says)
		}
	}
}
