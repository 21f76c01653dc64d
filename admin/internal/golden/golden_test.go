package golden

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAFileAndWhatBelongsToIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a.csv", "a.expected.yaml", "a.before.sql", "b.v2.csv.gz", ".swp", "sub/c.csv"} {
		write(t, filepath.Join(dir, Dir, "people", name), "x")
	}
	cases, err := Cases(dir, "people")
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, Dir, "people", name) }
	want := []Case{
		{Name: "a", File: at("a.csv"), Expected: at("a.expected.yaml"), Before: at("a.before.sql")},
		{Name: "b.v2", File: at("b.v2.csv.gz"), Expected: at("b.v2.expected.yaml")},
	}
	if diff := cmp.Diff(want, cases); diff != "" {
		t.Error(diff)
	}
	if cases, err := Cases(dir, "nobody"); cases != nil || err != nil {
		t.Errorf("%v, %v", cases, err)
	}
	strangers, err := Strangers(dir, []string{"animals"})
	if err != nil || len(strangers) != 1 || filepath.Base(strangers[0]) != "people" {
		t.Errorf("%v, %v", strangers, err)
	}
}

func TestFilesThatCannotBeTold(t *testing.T) {
	t.Parallel()
	for want, names := range map[string][]string{
		"a.tsv have the same name":                   {"a.csv", "a.tsv"},
		"old.expected.yaml belongs to no file":       {"a.csv", "old.expected.yaml"},
		"before.before.sql belongs to no file":       {"before.before.sql"},
		"a.csv.gz have the same name: their outcome": {"a.csv", "a.csv.gz"},
	} {
		dir := t.TempDir()
		for _, name := range names {
			write(t, filepath.Join(dir, Dir, "people", name), "x")
		}
		if cases, err := Cases(dir, "people"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, %v", names, cases, err)
		}
	}
}

// TestSpellingMakesNoDifference: an expected outcome may be written by hand, in any style and order.
func TestSpellingMakesNoDifference(t *testing.T) {
	t.Parallel()
	got := Outcome{
		Status: "completed", Counts: Counts{Total: 1, Created: 1},
		Tables: map[string][]Row{"people": {{"email": "a@x", "age": "10"}}}, order: map[string][]string{"people": {"email", "age"}},
	}
	path := filepath.Join(t.TempDir(), "a.expected.yaml")
	load := func(text string) Outcome {
		write(t, path, text)
		o, found, err := Load(path)
		if err != nil || !found {
			t.Fatalf("%v, %v", found, err)
		}
		return o
	}
	const counts = "counts: {created: 1, total: 1, updated: 0, unchanged: 0, skipped: 0, failed: 0}\nstatus: completed\n"
	if d, err := got.Difference(load(counts + "tables: {people: [{age: 10, note: null, email: 'a@x'}]}\n")); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
	d, err := got.Difference(load(counts + "tables: {people: [{age: 11, email: a@x}]}\n"))
	if err != nil || !strings.Contains(d, "-       age: \"11\"\n+       age: \"10\"\n") {
		t.Errorf("%v\n%s", err, d)
	}
	if err := got.Store(path); err != nil {
		t.Fatal(err)
	}
	stored, _, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := got.Difference(stored); d != "" || err != nil {
		t.Errorf("what was stored differs: %v\n%s", err, d)
	}
}

func TestAnExpectedFileThatIsWrongIsNamed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.expected.yaml")
	write(t, path, "status: completed\ncuonts: {}\n")
	if _, _, err := Load(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "cuonts") {
		t.Error(err)
	}
	if _, found, err := Load(path + ".none"); found || err != nil {
		t.Errorf("%v, %v", found, err)
	}
}

// TestBothTextsAreInTheDifference: what has no + is one text, what has no - the other.
func TestBothTextsAreInTheDifference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", ""}), 0, 12)
		a, b := lines.Draw(t, "a"), lines.Draw(t, "b")
		var first, second []string
		equal := 0
		for _, m := range compared(a, b) {
			if m.sign != '+' {
				first = append(first, m.line)
			}
			if m.sign != '-' {
				second = append(second, m.line)
			}
			if m.sign == ' ' {
				equal++
			}
		}
		if !cmp.Equal(append([]string{}, a...), append([]string{}, first...)) ||
			!cmp.Equal(append([]string{}, b...), append([]string{}, second...)) {
			t.Fatalf("%q %q: %q %q", a, b, first, second)
		}
		if want := shared(a, b); equal != want {
			t.Fatalf("%q %q share %d lines, not %d", a, b, want, equal)
		}
	})
}

// shared is the length of a longest common subsequence, found by trying all.
func shared(a, b []string) int {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	if a[0] == b[0] {
		return 1 + shared(a[1:], b[1:])
	}
	return max(shared(a[1:], b), shared(a, b[1:]))
}
