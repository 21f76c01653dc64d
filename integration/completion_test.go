package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

const peopleImporter = `importer: people
source: {path: people.csv}
destination: {table: persons}
key: email
fields: [{from: email, to: email}, {from: age, to: age}]
rules: {age: required|integer}
`

// peopled is an embedded installation with two runs, one completed and one with errors, and a broken importer.
func peopled(t *testing.T) *rig.System {
	t.Helper()
	sys := rig.NewSystem(t, rig.SystemOptions{Importers: map[string]string{
		"people.yaml": peopleImporter,
		"pets.yaml":   strings.ReplaceAll(strings.ReplaceAll(peopleImporter, "people", "pets"), "persons", "animals"),
		"broken.yaml": "importer: broken\nfilds: []\n",
	}})
	sys.Write("people.csv", "email,age\na@example.com,1\nb@example.com,2\n")
	sys.Write("bad rows.csv", "email,age\nc@example.com,x\n")
	sys.Write("sub dir/x.yaml", "")
	sys.Must(0, "run", "people")
	sys.Must(3, "run", "people", "--file", "bad rows.csv")
	return sys
}

// bash presses Tab behind a line of words, split as bash splits them.
const bash = `source <(ingest completion bash)
COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _ingest
printf '%%s\n' "${COMPREPLY[@]}"`

// zsh stands in for the completion system, which wants a terminal.
const zsh = `COLUMNS=40
compset() { [[ ${words[CURRENT]} == --*=* ]] && PREFIX=${words[CURRENT]#--*=} }
compadd() { if [[ $1 == -l ]]; then print -l -- "${(@)shown}"; else print -l -- "${(@)values}"; fi }
_files() { print -- "files $*" }
source <(ingest completion zsh)
words=(%s); CURRENT=$#words; _ingest; true`

const fish = `ingest completion fish | source; complete -C %s`

// TestShellsComplete asks real shells.
func TestShellsComplete(t *testing.T) {
	t.Parallel()
	sys := peopled(t)
	for _, c := range []struct{ shell, line, want string }{
		{"bash", `ingest stat`, "status"},
		{"bash", `ingest run pe`, "people pets"},
		{"bash", `ingest run ""`, "broken people pets"},
		{"bash", `ingest check people ""`, "broken people pets"},
		{"bash", `ingest status ""`, "2 1"},
		{"bash", `ingest runs --output = js`, "json"},
		{"bash", `ingest runs --output =`, "table json yaml"},
		{"bash", `ingest runs --output ""`, "table json yaml"},
		{"bash", `ingest runs --status c`, "cancelling completed completed_with_errors cancelled"},
		{"bash", `ingest run people --file ba`, "bad rows.csv"},
		{"bash", `ingest run people --file = ba`, "bad rows.csv"},
		{"bash", `ingest --roots s`, "sub dir"},
		{"bash", `ingest --redis-url redis : //x status ""`, "2 1"},
		{"bash", `ingest elephant ""`, ""},
		{"zsh", `ingest stat`, "status  -- Show a run."},
		{"zsh", `ingest run pe`, "people  -- into persons pets    -- into animals"},
		{"zsh", `ingest run ''`, "broken  -- broken people  -- into persons pets    -- into animals"},
		{"zsh", `ingest retry ''`, "2  -- people completed_with_errors 1  -- people completed"},
		{"zsh", `ingest completion ''`, "bash zsh fish"},
		{"zsh", `ingest failed-rows 1 --raw --ra`, ""},
		{"zsh", `ingest failed-rows 1 --ra`, "--raw  -- Do not guard cells that a spr"},
		{"zsh", `ingest runs --output=js`, "--output=json"},
		{"zsh", `ingest run people --file ba`, "files"},
		{"zsh", `ingest --roots=s`, "files -/"},
		{"fish", `"ingest stat"`, "status\tShow a run."},
		{"fish", `"ingest run pe"`, "people\tinto persons pets\tinto animals"},
		{"fish", `"ingest errors "`, "2\tpeople completed_with_errors 1\tpeople completed"},
		{"fish", `"ingest runs --output=js"`, "--output=json"},
		{"fish", `"ingest run people --file ba"`, "bad rows.csv"},
		{"fish", `"ingest run people --file=ba"`, "--file=bad rows.csv"},
	} {
		t.Run(c.shell+" "+c.line, func(t *testing.T) {
			t.Parallel()
			script := map[string]string{"bash": bash, "zsh": zsh, "fish": fish}[c.shell]
			got := sys.Shell(c.shell, fmt.Sprintf(script, c.line))
			if diff := cmp.Diff(c.want, strings.ReplaceAll(got.Stdout, "\n", " ")); diff != "" || got.Stderr != "" {
				t.Errorf("%s\n%s", diff, got.Stderr)
			}
		})
	}
}

// TestCompletionNeverFails: whatever is wrong, it offers what it still can, says nothing and makes nothing.
func TestCompletionNeverFails(t *testing.T) {
	t.Parallel()
	sys := rig.NewSystem(t, rig.SystemOptions{Importers: map[string]string{"people.yaml": peopleImporter}})
	sys.Write("broken.yaml", "no_such_key: 1\n")
	for _, c := range []struct {
		line string
		want string
	}{
		{"status |", ""},
		{"run |", "people\tinto persons\n"},
		{"--config broken.yaml run |", ""},
		{"--config broken.yaml stat|", "status\tShow a run.\n"},
		{"--config missing.yaml status |", ""},
		{"--importers missing run |", ""},
		{"--redis-url redis://127.0.0.1:1 run |", "people\tinto persons\n"},
		{"--redis-url redis://127.0.0.1:1 status |", ""},
	} {
		words := strings.Split(strings.TrimSuffix(c.line, "|"), " ")
		begin := time.Now()
		got := sys.CLI(append([]string{"__complete"}, words...)...)
		if got.Code != 0 || got.Stdout != c.want || got.Stderr != "" {
			t.Errorf("%s: %+v, want %q", c.line, got, c.want)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%s took %v", c.line, took)
		}
	}
	if _, err := os.Stat(filepath.Join(sys.Dir, "data")); !os.IsNotExist(err) {
		t.Errorf("a data directory was made: %v", err)
	}
}

// TestCompletionAsksTheServerOfTheLine: what is offered is what that installation has.
func TestCompletionAsksTheServerOfTheLine(t *testing.T) {
	t.Parallel()
	in := serve(t, reference.Products{Seed: 3, Rows: 10})
	in.Must(0, "run", "products")
	elsewhere := rig.NewSystem(t, rig.SystemOptions{})
	for _, c := range []struct {
		server, token, command, want string
	}{
		{in.server, in.token, "status", "1\tproducts completed\n"},
		{in.server, in.token, "run", "products\tinto products\n"},
		{in.server, "wrong", "run", ""},
		{"http://127.0.0.1:1", in.token, "status", ""},
	} {
		got := elsewhere.CLI("__complete", "--server", c.server, "--token", c.token, c.command, "")
		if got != (rig.Result{Stdout: c.want}) {
			t.Errorf("%s %s: %+v, want %q", c.server, c.command, got, c.want)
		}
	}
}
