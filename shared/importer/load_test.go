package importer_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/importer"
)

func definition(slug string) string {
	return "importer: " + slug + "\ndestination: {table: a}\nfields: [{from: a, to: a}]\n"
}

// directory holds the files, name to text.
func directory(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestListShowsBrokenFilesBesideGoodOnes(t *testing.T) {
	t.Parallel()
	dir := directory(t, map[string]string{
		"1.yaml":      definition("zebra"),
		"2.yml":       definition("apple"),
		"broken.yaml": "importer: [",
		"bad.yaml":    definition("melon") + "fild: x\n",
		"twin1.yaml":  definition("twin"),
		"twin2.yaml":  definition("twin") + "x: y\n",
		"zebra.yaml":  "importer: [",
		"notes.txt":   "importer: notes",
		".hid.yaml":   definition("hidden"),
	})
	if err := os.Mkdir(filepath.Join(dir, "dir.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	all, err := importer.List(dir, knowing())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range all {
		line := l.Slug + " " + filepath.Base(l.File)
		if l.Err != nil {
			line += " " + strings.ReplaceAll(strings.ReplaceAll(l.Err.Error(), dir+"/", ""), "\n", " / ")
		} else if l.Definition.Slug != l.Slug {
			t.Errorf("%s: definition of %q", l.File, l.Definition.Slug)
		}
		got = append(got, line)
	}
	want := []string{
		"apple 2.yml",
		"broken broken.yaml broken.yaml:1:11: sequence end token ']' not found",
		"dir dir.yaml dir.yaml: this is not a file",
		`melon bad.yaml bad.yaml:4:1: unknown key "fild" (known: importer, source, format, destination, key, on_duplicate, compare, chunk_size, partitions, max_parallel, max_rows_per_second, transaction, missing, strict_headers, unmapped, max_failed_rows, max_failed_ratio, timezone, overlap, if_unchanged, independent_rows, fields, relations, nested, rules, schema, messages, attributes, before_row, skip_when, table_when, params, use)`,
		`twin twin1.yaml twin1.yaml: the slug "twin" is used by several files (also in twin2.yaml)`,
		`twin twin2.yaml twin2.yaml: the slug "twin" is used by several files (also in twin1.yaml) / twin2.yaml:4:1: unknown key "x" (known: importer, source, format, destination, key, on_duplicate, compare, chunk_size, partitions, max_parallel, max_rows_per_second, transaction, missing, strict_headers, unmapped, max_failed_rows, max_failed_ratio, timezone, overlap, if_unchanged, independent_rows, fields, relations, nested, rules, schema, messages, attributes, before_row, skip_when, table_when, params, use)`,
		"zebra 1.yaml",
		"zebra zebra.yaml zebra.yaml:1:11: sequence end token ']' not found",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := directory(t, map[string]string{
		"a.yaml":         definition("countries"),
		"countries.yaml": "importer: [",
		"bad.yaml":       definition("bad") + "x: y\n",
		"lost.yaml":      ": :",
		"escaped.yaml":   strings.Replace(definition("escaped"), "importer: escaped", `importer: "\x65scaped"`, 1),
	})
	if d, err := importer.Load(dir, "escaped", knowing()); err != nil || d.Slug != "escaped" {
		t.Errorf("escaped: %v, %v", d, err)
	}
	if d, err := importer.Load(dir, "countries", knowing()); err != nil || d.Slug != "countries" {
		t.Errorf("countries: %v, %v", d, err)
	}
	var problems importer.Problems
	for _, slug := range []string{"bad", "lost"} {
		if _, err := importer.Load(dir, slug, knowing()); !errors.As(err, &problems) {
			t.Errorf("%s: %v, want problems", slug, err)
		}
	}
	_, err := importer.Load(dir, "contries", knowing())
	if want := `No importer found with the slug 'contries'. Did you mean "countries"?`; !errors.Is(err, importer.ErrUnknown) || err.Error() != want {
		t.Errorf("contries: %v, want %s", err, want)
	}
	_, err = importer.Load(dir, "x", knowing())
	if want := "No importer found with the slug 'x'."; !errors.Is(err, importer.ErrUnknown) || err.Error() != want {
		t.Errorf("x: %v, want %s", err, want)
	}
	if _, err := importer.Load(filepath.Join(dir, "missing"), "x", knowing()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
}

// A definition is read anew each time, so an edit counts at the next start.
func TestLoadSeesEdits(t *testing.T) {
	t.Parallel()
	dir := directory(t, map[string]string{"a.yaml": definition("a")})
	before, err := importer.Load(dir, "a", knowing())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(definition("a")+"chunk_size: 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	after, err := importer.Load(dir, "a", knowing())
	if err != nil || before.ChunkSize != 0 || after.ChunkSize != 7 {
		t.Errorf("chunk size %d, then %d (%v)", before.ChunkSize, after.ChunkSize, err)
	}
}

func TestAProblemStandsAtItsKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := "importer: x\ndestination:\n  connection: nowhere\n  table: t\nfields: [{from: a, to: a}]\n"
	if err := os.WriteFile(filepath.Join(dir, "x.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := importer.List(dir, importer.Checks{})
	if err != nil || len(all) != 1 || all[0].Err != nil {
		t.Fatal(all, err)
	}
	for want, path := range map[string][]string{
		"x.yaml:3:15: m": {"destination", "connection"},
		"x.yaml:4:10: m": {"destination", "table"},
		"x.yaml:1:1: m":  {"source", "path"}, // it is left out
	} {
		if got := all[0].At("m", path...).String(); got != want {
			t.Errorf("%v: %s, want %s", path, got, want)
		}
	}
}
