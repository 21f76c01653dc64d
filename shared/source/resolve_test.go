package source_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ingest/shared/source"
)

func TestResolveStaysInTheRoots(t *testing.T) {
	t.Parallel()
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(elements ...string) string { return filepath.Join(append([]string{base}, elements...)...) }
	for _, dir := range []string{at("one", "sub"), at("two"), at("one-more"), at("outside")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{at("one", "a.csv"), at("one", "sub", "b.csv"), at("two", "c.csv"), at("one-more", "d.csv"), at("outside", "e.csv")} {
		write(t, file, "x")
	}
	for link, target := range map[string]string{
		at("one", "in"): at("one", "sub", "b.csv"), at("one", "across"): at("two", "c.csv"),
		at("one", "out"): at("outside", "e.csv"), at("one", "outdir"): at("outside"), at("one", "up"): "..",
		at("one", "loop"): at("one", "loop"), at("linked"): at("one"), at("one", "dead"): at("one", "none"),
	} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	roots := []string{at("one"), at("two"), at("missing"), at("linked")}
	const outside, missing, other = "outside of the roots", "was not found", "loop"
	for path, want := range map[string]string{
		"a.csv": at("one", "a.csv"), "c.csv": at("two", "c.csv"), "sub/../a.csv": at("one", "a.csv"),
		at("one", "sub", "b.csv"): at("one", "sub", "b.csv"), at("linked", "a.csv"): at("one", "a.csv"),
		"in": at("one", "sub", "b.csv"), "across": at("two", "c.csv"),
		"out": outside, "outdir/e.csv": outside, "up/outside/e.csv": outside, "../outside/e.csv": outside,
		at("one", "..", "outside", "e.csv"): outside, at("outside", "e.csv"): outside, at("one-more", "d.csv"): outside,
		"/etc/passwd": outside, "/proc/self/environ": outside, "": "empty",
		"none.csv": missing, "dead": missing, at("two", "none.csv"): missing, "loop": other,
	} {
		got, err := source.Resolve(roots, path)
		if filepath.IsAbs(want) {
			if err != nil || got != want {
				t.Errorf("%q: got %q, %v", path, got, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %q, %v; want %q", path, got, err, want)
			continue
		}
		if path != "" && !strings.Contains(err.Error(), at("two")) {
			t.Errorf("%q: the error does not say which roots there are: %v", path, err)
		}
		if errors.Is(err, fs.ErrNotExist) != (want == missing) {
			t.Errorf("%q: fs.ErrNotExist is for what is not there: %v", path, err)
		}
	}
}

func TestResolveInTheWorkingDirectory(t *testing.T) {
	t.Parallel()
	got, err := source.Resolve([]string{"."}, "resolve_test.go")
	if want, absErr := filepath.Abs("resolve_test.go"); err != nil || absErr != nil || filepath.Base(got) != filepath.Base(want) || !filepath.IsAbs(got) {
		t.Errorf("got %q, %v", got, err)
	}
}
