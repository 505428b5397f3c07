package wire

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"
)

func init() { PoisonLoans() }

// readLent is readAll of a Reader that lends. It copies each content and ends the loan.
func readLent(src io.Reader, limit int) (frames []Frame, err error) {
	reader := &Reader{Limit: limit, Lend: true, Extended: true}
	defer reader.Drop()
	for {
		f, err := reader.ReadFrame(src)
		if err == io.EOF {
			return frames, nil
		}
		if err != nil {
			return frames, err
		}
		f.Message.Content = strings.Clone(f.Message.Content)
		f.Loan.End()
		f.Loan = nil
		frames = append(frames, f)
	}
}

func TestReaderLendsWhatItReads(t *testing.T) {
	want, encoded := assorted()
	got, err := readLent(&pieces{encoded, newRandom(1)}, 1<<20)
	if err != nil || len(got) != len(want) {
		t.Fatalf("read lent contents: got %d frames, %v, want %d", len(got), err, len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("read lent contents: frame %d has a content of %d bytes, want the same %d bytes", i, len(got[i].Message.Content), len(want[i].Message.Content))
		}
	}
}

func TestReaderAllocatesNothingForLentContents(t *testing.T) {
	if raceBuild {
		t.Skip("in a build for the race detector a sync.Pool drops some of what it gets")
	}
	for _, size := range []int{32, 1000, 70_000} {
		frame := AppendFrame(nil, newMessage(JSON, strings.Repeat("x", size)))
		reader, src := &Reader{Limit: 1 << 20, Lend: true}, bytes.NewReader(nil)
		read := func() {
			src.Reset(frame)
			f, err := reader.ReadFrame(src)
			if err != nil || len(f.Message.Content) != size {
				t.Fatalf("read a frame: got %d bytes, %v, want %d", len(f.Message.Content), err, size)
			}
			f.Loan.End()
		}
		for range 3 {
			read()
		}
		if allocations := testing.AllocsPerRun(100, read); allocations > 0 {
			t.Errorf("read a lent content of %d bytes: got %v allocations, want none", size, allocations)
		}
	}
}

// TestReaderGivesBackAContentThatEndsEarly ends the input inside contents that grow.
func TestReaderGivesBackAContentThatEndsEarly(t *testing.T) {
	frame := AppendFrame(nil, newMessage(JSON, strings.Repeat("x", 1<<20)))
	before := Lent()
	for _, length := range []int{5000, 70_000, 300_000, len(frame) - 1} {
		if _, err := readLent(bytes.NewReader(frame[:length]), 1<<21); err == nil {
			t.Errorf("read %d bytes of a frame of %d: got no error", length, len(frame))
		}
		broken := append(bytes.Clone(frame[:len(frame)-1]), 0)
		if _, err := readLent(bytes.NewReader(broken), 1<<21); err == nil {
			t.Error("read a frame with a wrong end: got no error")
		}
	}
	if after := Lent(); after != before {
		t.Errorf("after inputs that ended early: %d bytes are lent, want %d, as before", after, before)
	}
}

func TestLenderClassesHaveRoom(t *testing.T) {
	for _, size := range []int{0, 1, 4096, 4160, 4161, 5000, 5184, 5185, 16 << 10, 64<<10 + 1, 66_000, 100_000, 1<<20 + 1, 10_000_000, 16<<20 + 1} {
		class := classOf(size)
		if class >= classes || classSize(class) < size {
			t.Errorf("class of %d bytes: got %d with too little room", size, class)
			continue
		}
		if least := 4<<10 + loanSpare; classSize(class) > max(least, size*5/4+loanSpare+1024) {
			t.Errorf("class of %d bytes: got %d bytes, want at most a quarter more", size, classSize(class))
		}
		if class > 0 && classSize(class-1) >= size {
			t.Errorf("class of %d bytes: got %d bytes, want the class before, of %d", size, classSize(class), classSize(class-1))
		}
	}
	if classOf(17<<20) < classes {
		t.Errorf("class of 17 MiB: got one, want none")
	}
}

func TestLenderUsesMemoryAgain(t *testing.T) {
	var l lender
	first := l.take(70_000)
	l.give(first)
	if again := l.take(66_000); again != first {
		t.Error("take after give, of a size that is a little smaller: got other memory, want the same")
	}
	if other := l.take(70_000); other == first {
		t.Error("take while the memory is lent: got the same memory twice")
	}
}

func TestLenderKeepsALimitedAmount(t *testing.T) {
	var l lender
	var loans []*Loan
	for range 10 {
		loans = append(loans, l.take(16<<20))
	}
	if l.out < 10*16<<20 {
		t.Errorf("ten loans of 16 MiB: counted %d bytes", l.out)
	}
	for _, loan := range loans {
		l.give(loan)
	}
	if l.out != 0 || l.kept > maxKept || l.kept < maxKept/2 {
		t.Errorf("ten loans of 16 MiB given back: %d bytes are lent and %d kept, want 0 and at most %d", l.out, l.kept, maxKept)
	}
}

// TestLenderDropsWhatIsNotNeeded keeps one of two memories in use.
func TestLenderDropsWhatIsNotNeeded(t *testing.T) {
	var l lender
	one, two := l.take(70_000), l.take(70_000)
	l.give(two)
	l.give(one)
	l.dropUnused()
	if l.take(70_000) != one {
		t.Error("take: got another memory, want the one that was used last")
	}
	l.give(one)
	l.dropUnused()
	if l.kept != len(one.memory) {
		t.Errorf("after a garbage collection since which one memory was needed: kept %d bytes, want %d", l.kept, len(one.memory))
	}
	l.dropUnused()
	if l.kept != 0 || l.free[one.class] != nil {
		t.Errorf("after one since which none was needed: kept %d bytes, want 0", l.kept)
	}
}

// TestLenderIsEmptyAfterGarbageCollections waits until the collector has told the lender.
func TestLenderIsEmptyAfterGarbageCollections(t *testing.T) {
	NewLoan(70_000).End()
	for kept := 1; kept > 0; {
		runtime.GC()
		runtime.Gosched()
		lent.mu.Lock()
		kept = lent.kept
		lent.mu.Unlock()
	}
}

func TestLoanIsPoisonedAfterItsLastUser(t *testing.T) {
	loan := NewLoan(20_000)
	content := loan.Hold(bytes.Repeat([]byte("x"), 20_000))
	term := loan.Term()
	var o Output
	o.AddLent(newMessage(JSON, content), loan)
	loan.End()
	if loan.Term() == term || loan.Retain(term) {
		t.Error("End of a loan that an Output has: its term has not passed")
	}
	if strings.Trim(content, "x") != "" {
		t.Error("End of a loan that an Output has: the content has changed before it was written")
	}
	o.DropFirst(o.Len())
	if loan.Retain(loan.Term()) {
		t.Error("Retain of a loan without users: got true, want false")
	}
	if content[0] != poisonByte || content[19_999] != poisonByte {
		t.Errorf("a loan whose content was written: it begins with %x, want it poisoned", content[:4])
	}
}
