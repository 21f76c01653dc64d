package integration

import (
	"context"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is the path of a browser that can be driven.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("there is no browser: apt-get install chromium")
	return ""
}

// seen is what a browser tells of a page.
type seen struct {
	mu       sync.Mutex
	complain []string
	requests []string
}

func (s *seen) event(event any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		s.complain = append(s.complain, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			for _, arg := range e.Args {
				s.complain = append(s.complain, string(arg.Value))
			}
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			s.complain = append(s.complain, e.Entry.Text+" "+e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		s.requests = append(s.requests, e.Request.URL)
	}
}

// TestDocsInABrowser opens the page of the documentation: every operation is listed, nothing complains, and nothing is
// loaded from anywhere else.
func TestDocsInABrowser(t *testing.T) {
	t.Parallel()
	s := serve(t)
	operations := 0
	for _, methods := range described(t, s.api) {
		operations += len(methods)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:len(chromedp.DefaultExecAllocatorOptions):len(chromedp.DefaultExecAllocatorOptions)],
		chromedp.ExecPath(browser(t)), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(patience))
	// The browser ends before the test's directories are removed.
	allocator, end := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	defer end()
	ctx, leave := chromedp.NewContext(allocator)
	defer leave()
	var told seen
	if err := chromedp.Listen(ctx, told.event); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate("http://"+s.api.Address+"/docs")); err != nil {
		t.Fatal(err)
	}
	const listed = `document.querySelectorAll(".opblock-summary-path").length > 0`
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](listed, chromedp.WithPollingTimeout(patience))); err != nil {
		t.Fatalf("the list of operations is not shown: %v\n%v", err, told.complain)
	}
	shown, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](
		`[...document.querySelectorAll(".opblock-summary-path")].map(e => e.textContent.replace(/[^!-~]/g, ""))`))
	if err != nil {
		t.Fatal(err)
	}
	told.mu.Lock()
	defer told.mu.Unlock()
	if len(shown) != operations || !strings.Contains(strings.Join(shown, " "), "/api/v1/ingest/upload/{importer}") {
		t.Errorf("%d operations are shown, want %d: %v", len(shown), operations, shown)
	}
	if len(told.complain) > 0 {
		t.Errorf("the page complains: %v", told.complain)
	}
	for _, request := range told.requests {
		from, err := url.Parse(request)
		if err != nil || from.Scheme != "data" && from.Host != s.api.Address {
			t.Errorf("the page loads %.100s", request)
		}
	}
	if len(told.requests) < 5 {
		t.Errorf("only %v were requested", told.requests)
	}
}
