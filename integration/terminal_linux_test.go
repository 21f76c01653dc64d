package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"ingest/integration/rig"
)

// lasting is an embedded installation with a file that takes a while.
func lasting(t *testing.T) *rig.System {
	t.Helper()
	sys := rig.NewSystem(t, rig.SystemOptions{
		Importers: map[string]string{"people.yaml": peopleImporter + "max_rows_per_second: 20000\n"}, Env: []string{"INGEST_CHUNK_SIZE=100"},
	})
	var text strings.Builder
	text.WriteString("email,age\n")
	for i := range 100_000 {
		fmt.Fprintf(&text, "p%d@example.com,%d\n", i, i)
	}
	sys.Write("people.csv", text.String())
	return sys
}

func onScreen(t *testing.T, terminal *rig.Terminal, texts ...string) {
	t.Helper()
	rig.Until(t, 30*time.Second, fmt.Sprintf("the terminal showing %q", texts), func() bool {
		screen := terminal.Screen.String()
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

// left is what a terminal shows when the command has ended: nothing of the progress, and itself in order.
func left(t *testing.T, terminal *rig.Terminal, code int, want ...string) {
	t.Helper()
	if got := terminal.Wait(patience); got != code {
		t.Errorf("exit code %d, want %d", got, code)
	}
	onScreen(t, terminal, want...)
	screen := terminal.Screen.String()
	if strings.Contains(screen, "█") || strings.Contains(screen, "ETA") {
		t.Errorf("the progress is left:\n%s", screen)
	}
	if odd := terminal.Screen.Odd(); len(odd) > 0 {
		t.Errorf("the terminal is left with %q", odd)
	}
}

// TestProgressOnATerminal: a run is drawn in place, at any width, and leaves the result alone on the screen.
func TestProgressOnATerminal(t *testing.T) {
	t.Parallel()
	sys := lasting(t)
	running := sys.Terminal(80, 24, nil, "run", "people")
	onScreen(t, running, "Run #1 people · processing", "█", "rows/s")
	running.Signal(os.Interrupt)
	left(t, running, 130, "Run #1 is interrupted: `ingest up` continues it.")
	if lines := running.Screen.Lines(); len(lines) != 1 {
		t.Errorf("more than the last word is left:\n%s", running.Screen)
	}

	watching := sys.Terminal(40, 12, nil, "status", "1", "--watch")
	onScreen(t, watching, "Run #1 people · processing", "Interrupted: `ingest up` continues it.")
	for _, width := range []int{60, 41, 100} {
		watching.Resize(width, 12)
		rig.Until(t, 10*time.Second, "the screen being in order", func() bool {
			return strings.Count(watching.Screen.String(), "Run #1") == 1
		})
	}
	watching.Signal(os.Interrupt)
	left(t, watching, 130, "Run #1 is interrupted")

	dumb := sys.Terminal(80, 24, []string{"TERM=dumb"}, "status", "1", "--watch")
	onScreen(t, dumb, "Run #1 people processing (interrupted: `ingest up` continues it)")
	dumb.Signal(os.Interrupt)
	dumb.Wait(patience)
	if lines := dumb.Screen.Lines(); len(lines) != 2 || len(dumb.Screen.Odd()) > 0 || dumb.Screen.Coloured() {
		t.Errorf("lines are not plain: %q\n%s", dumb.Screen.Odd(), dumb.Screen)
	}
}

// TestAFinishedRunOnATerminal: what is left is the report, as `status` prints it.
func TestAFinishedRunOnATerminal(t *testing.T) {
	t.Parallel()
	sys := peopled(t)
	sys.Write("two.csv", "email,age\na@example.com,1\nb@example.com,x\n")
	for i, environ := range [][]string{nil, {"NO_COLOR=1"}} {
		done := sys.Terminal(80, 24, environ, "run", "people", "--file", "two.csv")
		done.Wait(patience)
		onScreen(t, done, "completed_with_errors", "Top errors")
		if coloured := done.Screen.Coloured(); coloured != (environ == nil) {
			t.Errorf("%v: coloured: %v", environ, coloured)
		}
		status := sys.Terminal(80, 24, environ, "status", fmt.Sprint(3+i))
		status.Wait(patience)
		onScreen(t, status, "completed_with_errors", "Top errors")
		want := status.Screen.String()
		if got := done.Screen.String(); got != want {
			t.Errorf("%v: the screen shows\n%s\nwant\n%s", environ, got, want)
		}
	}
}
