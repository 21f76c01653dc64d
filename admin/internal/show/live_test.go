package show

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/rig"
	"ingest/shared/control"
	"ingest/shared/run"
)

// window is a terminal whose screen can be looked at.
type window struct {
	*Live
	screen        *rig.Screen
	width, height int
}

func newWindow(width, height int) *window {
	w := &window{screen: rig.NewScreen(width, height), width: width, height: height}
	w.Live = NewLive(w.screen, func() (int, int) { return w.width, w.height })
	return w
}

func (w *window) resize(width int) {
	w.width = width
	w.screen.Resize(width)
}

func (w *window) shows(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(strings.Join(want, "\n"), w.screen.String()); diff != "" {
		t.Error(diff)
	}
	if odd := w.screen.Odd(); len(odd) > 0 {
		t.Errorf("the terminal is left with %q", odd)
	}
}

func (w *window) progress() *Progress { return NewProgress(Screen{Err: w.Live, Live: w.Live}) }

func drawn(lines ...string) func(int) []string { return func(int) []string { return lines } }

func TestProgressIsDrawnAnewInPlace(t *testing.T) {
	t.Parallel()
	w := newWindow(80, 24)
	fmt.Fprintln(w, "$ ingest run navaids")
	g := w.progress()
	pending := processing()
	pending.Status, pending.StartedAt = run.Pending, nil
	g.Update(Status{Run: pending, Now: now()})
	w.shows(t, "$ ingest run navaids", "Run #123 navaids · pending")
	g.Update(Status{Run: processing(), Now: now()})
	w.shows(
		t, "$ ingest run navaids",
		"Run #123 navaids · processing · 21s",
		"█████████████████████░░░░░░░░░░░░░░░░░░░  54%",
		"540,000 of ~1,000,000 rows · 25,000 rows/s · ETA 19s · 2 failed",
	)
	stalled := processing()
	stalled.WaitingFor, stalled.DryRun = ref("no worker is running (start `ingest worker`)"), true
	g.Update(Status{Run: stalled, Now: now()})
	w.shows(
		t, "$ ingest run navaids",
		"Run #123 navaids · processing · dry run · 21s",
		"█████████████████████░░░░░░░░░░░░░░░░░░░  54%",
		"540,000 of ~1,000,000 rows · 25,000 rows/s · 2 failed",
		"Waiting: no worker is running (start `ingest worker`).",
	)
	g.Update(Status{Run: processing(), Interrupted: true, Now: now()})
	w.shows(
		t, "$ ingest run navaids",
		"Run #123 navaids · processing · 21s",
		"█████████████████████░░░░░░░░░░░░░░░░░░░  54%",
		"540,000 of ~1,000,000 rows · 25,000 rows/s · 2 failed",
		"Interrupted: `ingest up` continues it.",
	)
	g.Update(Status{Run: failedRun(), Now: now()})
	w.shows(
		t, "$ ingest run navaids",
		"Run #8 regions · failed · dry run",
		"Reason: line 812: a quoted field that is never closed.",
	)
	g.End()
	g.End()
	w.shows(t, "$ ingest run navaids")
}

func TestProgressFitsNarrowWindows(t *testing.T) {
	t.Parallel()
	w := newWindow(40, 24)
	long := processing()
	long.Importer = strings.Repeat("long-", 10)
	long.Reason = ref(strings.Repeat("a reason that is longer than the window ", 5) + strings.Repeat("x", 50))
	w.progress().Update(Status{Run: long, Now: now()})
	w.shows(
		t,
		"Run #123 long-long-long-long-long-long…",
		"processing · 21s",
		"██████████████████░░░░░░░░░░░░░░░░  54%",
		"540,000 of ~1,000,000 rows",
		"25,000 rows/s · ETA 19s · 2 failed",
		"Reason: a reason that is longer than",
		"the window a reason that is longer than",
		"the window a reason that is longer tha…",
	)
	for width := range 120 {
		for height := range 10 {
			w := newWindow(width+1, height+1)
			fmt.Fprintln(w, "$")
			g := w.progress()
			g.Update(Status{Run: processing(), Now: now()})
			g.Update(Status{Run: long, Now: now()})
			g.Update(Status{Run: processing(), Interrupted: true, Now: now()})
			g.End()
			if got := w.screen.String(); got != "$" && height > 0 {
				t.Fatalf("%d×%d: garbage is left:\n%s", width+1, height+1, got)
			}
		}
	}
}

func TestAnUploadIsDrawnInPlace(t *testing.T) {
	t.Parallel()
	w := newWindow(60, 24)
	u := NewUpload(Screen{Err: w.Live, Live: w.Live}, "people.csv", 4<<20, now())
	u.Sent(1<<20, now().Add(time.Second))
	w.shows(t, "█████░░░░░░░░░░░░░░░ Uploading people.csv 25% of 4.0 MiB ·…")
	u.Sent(4<<20, now().Add(time.Second))
	w.shows(t, "████████████████████ Uploading people.csv 100% of 4.0 MiB …")
	u.End()
	u.End()
	w.shows(t)
}

func TestOtherLinesAppearAboveTheProgress(t *testing.T) {
	t.Parallel()
	w := newWindow(80, 24)
	w.Draw(drawn("one", "two"))
	fmt.Fprintln(w, "a warning")
	w.Draw(drawn("three", "four"))
	w.shows(t, "a warning", "three", "four")
	if _, err := io.WriteString(w, "no end of line"); err != nil {
		t.Fatal(err)
	}
	w.Draw(drawn("five"))
	w.shows(t, "a warning", "no end of line", "five")
	w.Clear()
	w.shows(t, "a warning", "no end of line")
}

func TestAWindowThatGetsNarrowerLeavesNoGarbage(t *testing.T) {
	t.Parallel()
	w := newWindow(80, 24)
	fmt.Fprintln(w, "$")
	g := w.progress()
	for _, width := range []int{80, 45, 60, 40, 120} {
		w.resize(width)
		g.Update(Status{Run: processing(), Now: now()})
		if got := w.screen.Lines(); got[0] != "$" || !strings.HasPrefix(got[1], "Run #123") || strings.Count(w.screen.String(), "Run #") != 1 {
			t.Errorf("%d columns:\n%s", width, w.screen)
		}
	}
	g.End()
	w.shows(t, "$")
}

func TestProgressScrollsWithItsWindow(t *testing.T) {
	t.Parallel()
	w := newWindow(80, 4)
	for i := range 10 {
		fmt.Fprintln(w, i)
	}
	for i := range 5 {
		w.Draw(drawn(fmt.Sprint("a", i), "b", "c", "d", "e"))
	}
	if got := w.screen.String(); !strings.HasSuffix(got, "8\n9\na4\nb\nc") {
		t.Errorf("%s", got)
	}
}

func TestWideLettersCountAsTheyAreShown(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"日本語日本語": "日本語日…", "plain": "plain", "exactly 10": "exactly 10", "eleven char": "eleven ch…",
	} {
		if got := cut(line, 10); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	if got := cut("\x1b[31meleven char\x1b[0m", 10); got != "\x1b[31meleven cha\x1b[0m" && got != "\x1b[31meleven cha\x1b[0m\x1b[0m" {
		t.Errorf("%q", got)
	}
}

func TestNothingIsWrittenWhileNothingChanges(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	live := NewLive(&out, func() (int, int) { return 80, 24 })
	live.Draw(drawn("same"))
	once := out.Len()
	live.Draw(drawn("same"))
	if out.Len() != once {
		t.Errorf("%q", out.String())
	}
}

func TestProgressHasColoursWhereTheyAreAllowed(t *testing.T) {
	t.Parallel()
	for _, color := range []bool{true, false} {
		var out strings.Builder
		live := NewLive(&out, func() (int, int) { return 80, 24 })
		live.Color = color
		NewProgress(Screen{Err: live, Live: live}).Update(Status{Run: processing(), Now: now()})
		if got := strings.Contains(out.String(), "\x1b[36m"); got != color {
			t.Errorf("colours: %v, want %v: %q", got, color, out.String())
		}
	}
}

func TestETAIsInWholeSeconds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		left, rate int64
		want       string
	}{{1, 25_000, "ETA 1s"}, {0, 25_000, "ETA 0s"}, {50_000, 25_000, "ETA 2s"}, {1_000_000, 1000, "ETA 16m40s"}} {
		r := control.Resource{Progress: control.Progress{Total: c.left}, RowsPerSecond: c.rate, TotalFinal: true}
		if got := pace(Status{Run: r}); got[len(got)-1] != c.want {
			t.Errorf("%d rows left: %q, want %s", c.left, got, c.want)
		}
	}
	if got := seconds(-time.Second); got != "0s" {
		t.Errorf("%s", got)
	}
}
