package inspect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/rxipc/rxipc/operators"
	"github.com/rxipc/rxipc/socket"
	"github.com/rxipc/rxipc/stream"
)

// browserLimit bounds each wait for the page, for a machine that is busy.
const browserLimit = 60 * time.Second

// chromium returns the path of the browser.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("there is no chromium for the tests of the page: install it, for instance with apt-get install --no-install-recommends chromium")
	return ""
}

// tab is a page of a browser.
type tab struct {
	*testing.T
	ctx context.Context
}

// openTab starts a browser that ends with the test.
func openTab(t *testing.T) tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(browserLimit), chromedp.WindowSize(1280, 860))
	allocated, end := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(end)
	ctx, closeTab := chromedp.NewContext(allocated)
	t.Cleanup(closeTab)
	return tab{t, ctx}
}

// do runs an action, and fails the test if it does not succeed in time.
func do[T any](b tab, what string, action chromedp.Action[T]) T {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browserLimit)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		b.Fatalf("%s: %v", what, err)
	}
	return v
}

// start opens the first page, in a context that the browser lives as long as.
func (b tab) start(url string) {
	b.Helper()
	if err := chromedp.Do(b.ctx, chromedp.Navigate(url)); err != nil {
		b.Fatalf("open %s: %v", url, err)
	}
}

// until waits until an expression of JavaScript is true.
func (b tab) until(what, expression string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browserLimit)
	defer cancel()
	wait := "new Promise(done => { const look = () => (" + expression + ") ? done(true) : setTimeout(look, 20); look(); })"
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](wait, chromedp.EvalAwaitPromise)); err != nil {
		text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
		b.Fatalf("wait until %s: %v; the page has\n%s", what, err, text)
	}
}

// value returns what an expression of JavaScript is.
func value[T any](b tab, expression string) T {
	b.Helper()
	return do(b, "evaluate "+expression, chromedp.Evaluate[T](expression))
}

// text is an expression that is true if the page shows a text.
func text(s string) string { return fmt.Sprintf("document.body.innerText.includes(%q)", s) }

// screenshot writes a picture to the folder in RXIPC_SCREENSHOTS, or one of the test.
func (b tab) screenshot(name string, dark bool, width, height int64) {
	b.Helper()
	folder := os.Getenv("RXIPC_SCREENSHOTS")
	if folder == "" {
		folder = b.TempDir()
	}
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	do(b, "choose the size of the picture", chromedp.EmulateViewport(width, height))
	do(b, "choose the colours of the picture", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		return err
	}))
	do(b, "wait for two frames", chromedp.Evaluate[bool](
		"new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))", chromedp.EvalAwaitPromise))
	picture := do(b, "take a picture", chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644); err != nil {
		b.Fatalf("write a picture: %v", err)
	}
	if wide := value[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); wide > 0 {
		b.Errorf("at the width %d the page is %d pixels too wide", width, wide)
	}
}

// served serves an Inspector until the test ends, and returns the address of its page.
func served(t *testing.T, live *Inspector, o Options) (url string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	listening, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- live.Serve(ctx, "127.0.0.1:0", o, func(url string) { listening <- url }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the page was served until the end of its context: got %v, want the cause", err)
		}
	})
	select {
	case url = <-listening:
	case err := <-ended:
		ended <- err
		t.Fatalf("serve the page: %v", err)
	}
	return url
}

// background runs a pipeline until the test ends.
func background(t *testing.T, live *Inspector, pipeline stream.Observable[int], consume func(context.Context, int)) {
	ctx, cancel := context.WithCancel(t.Context())
	run := pipeline.Subscribe(live.Follow(ctx), stream.Observer[int]{Next: func(n int) { consume(ctx, n) }})
	t.Cleanup(func() { cancel(); _ = run.Wait() })
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// shop is a program with something of everything.
func shop(t *testing.T) *Inspector {
	live := New()
	orders := stream.Interval(4 * time.Millisecond)
	parse := operators.MapParallel(4, func(ctx context.Context, n int) (int, error) { pause(ctx, time.Millisecond); return n, nil })
	bad := operators.MapSkipErr(func(n int) (int, error) {
		if n%40 == 39 {
			return 0, errors.New("bad")
		}
		return n, nil
	}, nil)
	intake := stream.Pipe5(stream.Observable[int](orders), named("orders"), parse, bad, named("parse"), operators.ObserveOn[int](64))
	returns := stream.Pipe1(stream.Interval(150*time.Millisecond), named("returns"))
	background(t, live, stream.Pipe2(operators.Merge(intake, returns), named("price"), named("store")),
		func(ctx context.Context, _ int) { pause(ctx, 9*time.Millisecond) })
	background(t, live, stream.Pipe2(stream.Interval(time.Second), named("clock"), named("heartbeat")), func(context.Context, int) {})
	var prices stream.Subject[int]
	live.Subject("prices", &prices)
	return live
}

func TestBrowserPictures(t *testing.T) {
	live := shop(t)
	connected(t, live, 3)
	b := openTab(t)
	b.start(served(t, live, Options{Contents: true}))
	b.until("the slow part is found", text(`What follows "store" holds up`))
	b.until("there are three connections", text("Connections\n3"))
	if os.Getenv("RXIPC_SCREENSHOTS") != "" {
		b.until("the sparklines have some length", `latest.stages[0].spark?.length > 45`)
	}
	b.screenshot("light", false, 1280, 860)
	b.screenshot("dark", true, 1280, 860)
	b.screenshot("phone", false, 390, 1100)
	b.do("look at values", `document.querySelector("#stages .name button").click(); document.querySelector("#contents").click()`)
	b.until("a value is shown", `document.querySelector(".marble span")?.textContent > ""`)
	b.screenshot("values", false, 1280, 860)
}

// do runs a statement of JavaScript.
func (b tab) do(what, statement string) {
	b.Helper()
	do(b, what, chromedp.Evaluate[chromedp.Void](statement))
}

func TestBrowserShowsAStuckPipelineWithinASecond(t *testing.T) {
	live, stuck := New(), make(chan struct{})
	reached := make(chan time.Time, 1)
	background(t, live, stream.Pipe2(stream.Interval(5*time.Millisecond), named("read"), named("store")), func(ctx context.Context, n int) {
		select {
		case <-stuck:
			select {
			case reached <- time.Now():
			default:
			}
			<-ctx.Done()
		default:
		}
	})
	b := openTab(t)
	b.start(served(t, live, Options{}))
	b.until("values flow", `latest && latest.stages && latest.stages[0].rate > 1`)
	b.do("note the first snapshots with and without the verdict", `
		window.shown = showSnapshot;
		showSnapshot = (s) => { window.shown(s); if (!window.found && document.querySelector('.verdict[data-severity="stuck"]')) { window.found = s; } else if (!window.found) { window.before = s; } }`)
	close(stuck)
	since := <-reached
	b.until("the pipeline is shown as stuck", `window.found && document.body.innerText.includes('What follows "store" is stuck')`)
	found, err := time.Parse(time.RFC3339Nano, value[string](b, "window.found.time"))
	if err != nil {
		t.Fatalf("read the time of the snapshot: %v", err)
	}
	before, err := time.Parse(time.RFC3339Nano, value[string](b, "window.before.time"))
	if err != nil {
		t.Fatalf("read the time of the snapshot before: %v", err)
	}
	// A busy machine may delay snapshots. Hence the time counts from the last snapshot without the verdict.
	if took := min(found.Sub(since), before.Sub(since)+250*time.Millisecond); took > time.Second {
		t.Errorf("a pipeline that is stuck was shown as stuck after %v, want within a second", took)
	}
	if marked := value[string](b, `document.querySelector('#stages [data-holds="stuck"] .name button').textContent`); marked != "store" {
		t.Errorf("the stage that is marked is %q, want store", marked)
	}
}

func TestBrowserShowsCountsAndRates(t *testing.T) {
	live := New()
	const count = 12345
	b := openTab(t)
	b.start(served(t, live, Options{}))
	b.until("the page says that there is no stage", text("No stage has a name yet"))
	if err := named("known")(stream.Range(0, count)).Run(live.Follow(t.Context())); err != nil {
		t.Fatalf("run a pipeline: %v", err)
	}
	b.until("the values are shown", `document.querySelector("#stages .total")?.textContent === "12,345"`)
	b.until("the rate has been shown as the snapshot has it",
		`latest.stages[0].rate === 0 && document.querySelector("#stages .rate").textContent === "0"`)
}

func TestBrowserClosesAConnection(t *testing.T) {
	live := New()
	connected(t, live, 3)
	b := openTab(t)
	b.start(served(t, live, Options{}))
	b.until("three connections are shown", `document.querySelectorAll("#connections > *").length === 3`)
	b.do("close one", `document.querySelector("#connections button").click()`)
	b.until("two are left", `document.querySelectorAll("#connections > *").length === 2`)
	if left := live.Snapshot(Query{}).Totals.Connections; left != 2 {
		t.Errorf("one of three connections was closed: the server has %d, want 2", left)
	}
}

func TestBrowserRecoversFromReloadAndALostServer(t *testing.T) {
	live := New()
	b := openTab(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	other := make(chan string, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- live.Serve(ctx, "127.0.0.1:0", Options{Token: "second"}, func(url string) { other <- url })
	}()
	url := <-other
	base, _, _ := strings.Cut(url, "/#")
	address := strings.TrimPrefix(base, "http://")
	b.start(url)
	b.until("the page is live", text("live"))
	if hash := value[string](b, "location.href"); strings.Contains(hash, "second") {
		t.Errorf("the address of the page is %s, want one without the token", hash)
	}
	do(b, "reload the page", chromedp.Reload())
	b.until("the page is live again", text("live"))
	stop()
	<-ended
	b.until("the page notices", text("lost, trying again"))
	ctx, stop = context.WithCancel(t.Context())
	defer stop()
	go func() { ended <- live.Serve(ctx, address, Options{Token: "second"}, func(url string) { other <- url }) }()
	<-other
	b.until("the page has found the server again", `document.querySelector("#link").dataset.state === "live"`)
	stop()
	<-ended
}

func TestBrowserShowsHostileNamesAsText(t *testing.T) {
	live := New()
	hostile := `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`
	live.Add("subject", hostile, func() []Field { return []Field{{hostile, 1}} })
	texts := operators.Map(func(int) string { return hostile })
	ctx, cancel := context.WithCancel(t.Context())
	run := operators.Named[string](hostile)(texts(stream.Interval(50*time.Millisecond))).Subscribe(live.Follow(ctx), stream.Observer[string]{})
	defer func() { cancel(); _ = run.Wait() }()
	b := openTab(t)
	b.start(served(t, live, Options{Contents: true}))
	b.until("the name is shown", fmt.Sprintf("document.querySelector('#stages .name button')?.textContent === %q", hostile))
	b.until("the verdict is shown", `document.querySelector(".verdict")?.textContent.includes("<img")`)
	b.do("look at the values", `document.querySelector("#stages .name button").click()`)
	b.until("values come without contents", `document.querySelector(".marble span")?.textContent === ""`)
	b.do("show contents", `document.querySelector("#contents").click()`)
	b.until("contents are shown as text", `[...document.querySelectorAll(".marble span")].some(e => e.textContent.includes("<img"))`)
	if made := value[int](b, `document.querySelectorAll("main img, main script").length`); made != 0 || value[bool](b, "window.hacked !== undefined") {
		t.Errorf("hostile names became %d elements of the page, want text", made)
	}
}

// A tab in the background gets values and draws none.
func TestBrowserKeepsALimitedNumberOfValues(t *testing.T) {
	b := openTab(t)
	b.start(served(t, New(), Options{}))
	b.until("a snapshot is shown", `latest !== null`)
	b.do("show 5,000 values that are not drawn for long",
		`showValues({ time: new Date(), values: Array.from({ length: 5000 }, () => ({ at: new Date(Date.now() + 1e9) })) })`)
	if shown, kept := value[int](b, `document.querySelectorAll(".marble").length`), value[int](b, "marbles.length"); shown != 1500 || kept != 1500 {
		t.Errorf("5,000 values came: the page has %d of them and keeps %d, want 1500", shown, kept)
	}
}

// connected serves and connects some clients in memory, with followed connections.
func connected(t *testing.T, live *Inspector, clients int) {
	t.Helper()
	dir, err := os.MkdirTemp("", "rxi") // short, because it is part of the path of a socket
	if err != nil {
		t.Fatalf("make a folder: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	listening := make(chan struct{})
	config := socket.Config{Dir: dir, ServerConfig: socket.ServerConfig{Listening: func(socket.Name) { close(listening) }}}
	live.Connections(&config)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	ipc, name := socket.New(config), socket.MustParseName("shop")
	go func() {
		defer close(ended)
		_ = socket.Exchanges(ipc.Listen(name)).ForEach(ctx, func(x socket.Exchange) { _ = x.Respond(x.Message) })
	}()
	t.Cleanup(func() { stop(); <-ended })
	<-listening
	other := socket.New(socket.Config{Dir: dir})
	for range clients {
		p, err := other.ConnectTo(ctx, name).Get()
		if err != nil {
			t.Fatalf("connect to the server of the test: %v", err)
		}
		if err := p.Request(ctx, socket.Text("hello")).Err(); err != nil {
			t.Fatalf("make a request: %v", err)
		}
	}
}
