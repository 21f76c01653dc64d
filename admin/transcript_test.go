package admin

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files and docs/cli.md")

// transcript is what a person sees who types commands one after the other. Lines on standard error begin with "! ",
// and an exit code other than 0 is a line of its own.
type transcript struct {
	t       *testing.T
	dir     string
	environ []string
	text    strings.Builder
}

// run types a command. No line of a result for people may be longer than a terminal.
func (r *transcript) run(line string) {
	r.t.Helper()
	r.show(line, ingest(r.t, r.dir, r.environ, strings.Fields(line)...))
}

func (r *transcript) show(line string, got result) {
	r.t.Helper()
	// What is a file, or goes into one, is as wide as it is.
	structured := strings.Contains(line, "--output") || strings.HasPrefix(line, "failed-rows") || strings.HasPrefix(line, "token") ||
		strings.Contains(line, "--to -")
	for printed := range strings.Lines(got.out) {
		printed = strings.TrimSuffix(printed, "\n")
		if width := utf8.RuneCountInString(printed); width > widest && !structured {
			r.t.Errorf("ingest %s: %d columns: %s", line, width, printed)
		}
		if strings.TrimRight(printed, " ") != printed {
			r.t.Errorf("ingest %s: blanks at the end of %q", line, printed)
		}
	}
	fmt.Fprintf(&r.text, "$ ingest %s\n%s", line, r.normal(got.out))
	for printed := range strings.Lines(r.normal(got.errors)) {
		r.text.WriteString("! " + printed)
	}
	if got.code != 0 {
		fmt.Fprintf(&r.text, "[exit %d]\n", got.code)
	}
	r.text.WriteString("\n")
}

// varying is what differs from one time to the next, and what stands for it. Nothing changes its width in a table.
var varying = []struct {
	found *regexp.Regexp
	put   string
}{
	// Progress depends on the speed of the machine; that it ends with the final status does not.
	{regexp.MustCompile(`(?m)^Run #\d+ \S+ (pending|processing|cancelling|\d+%|[\d,]+ rows?)( .*)?\n`), ""},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`), "2026-01-27 10:00:00 UTC"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z`), "2026-01-27T10:00:00.000000Z"},
	{regexp.MustCompile(`[A-Z][a-z][a-z] [ \d]\d \d\d:\d\d`), "Jan 27 10:00"},
	{regexp.MustCompile(`(?m)^(Duration    ).*`), "${1}1.0s"},
	{regexp.MustCompile(`(?m)^(User        ).*`), "${1}ops"},
	// Left out when it is below one.
	{regexp.MustCompile(`(?m)^[\d,]+ rows/s\n`), ""},
	{regexp.MustCompile(`("?(?:duration_seconds|rows_per_second)"?): [\d.e-]+`), "${1}: 1"},
	{regexp.MustCompile(`"(user_id|host|id|version|revision|go)": "[^"]*"`), `"${1}": "x"`},
	{regexp.MustCompile(`(?m)^([ -]*(?:user_id|host|id|version|revision|go)): [^\d\n].*$`), "${1}: x"},
	{regexp.MustCompile(`ingest_[\w-]{43}`), "ingest_x"},
	{regexp.MustCompile(`[0-9a-f]{64}`), "x"},
	{regexp.MustCompile(`("?pid"?): \d+`), "${1}: 1"},
	{regexp.MustCompile(`(?m)^ingest \S+ \(.*\)$`), "ingest v1.2.3 (go1.26)"},
}

func (r *transcript) normal(s string) string {
	s = strings.ReplaceAll(s, r.dir, "/work")
	for _, v := range varying {
		s = v.found.ReplaceAllString(s, v.put)
	}
	return s
}

// golden compares with testdata/NAME.txt.
func (r *transcript) golden(name string) {
	r.t.Helper()
	path := filepath.Join("testdata", name+".txt")
	got := []byte(strings.TrimSuffix(r.text.String(), "\n"))
	if *update {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			r.t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o600); err != nil {
			r.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		r.t.Errorf("differs from %s (-want +got), -update rewrites it:\n%s", path, cmp.Diff(string(want), string(got)))
	}
}

// typed runs the commands and compares with testdata/NAME.txt.
func typed(t *testing.T, dir, name string, lines ...string) {
	t.Helper()
	r := &transcript{t: t, dir: dir}
	for _, line := range lines {
		r.run(line)
	}
	r.golden(name)
}

// inEveryForm is a command as table, JSON and YAML.
func inEveryForm(line string) []string {
	return []string{line, line + " --output json", line + " --output yaml"}
}

func every(lines ...string) (all []string) {
	for _, line := range lines {
		all = slices.Concat(all, inEveryForm(line))
	}
	return all
}
