package admin

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"ingest/shared/extend"
)

// extended is a directory with the importer x, worked on by a program with extensions.
type extended struct {
	dir string
	x   extend.Extensions
}

// spoken is what a command writes from several goroutines: its progress and its log.
type spoken struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *spoken) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (e extended) run(ctx context.Context, args ...string) result {
	var out bytes.Buffer
	var errs spoken
	code := Main(ctx, args, Options{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Workdir: e.dir, Extensions: e.x,
		Environ: []string{"NO_COLOR=1", "INGEST_SWEEP=50ms", "INGEST_SOURCE_TIMEOUT=300ms", "INGEST_MAX_SOURCE=1KiB"},
	})
	return result{code, out.String(), errs.text.String()}
}

func extendedBy(t *testing.T, x extend.Extensions, importer string) extended {
	t.Helper()
	e := extended{t.TempDir(), x}
	write(t, filepath.Join(e.dir, "configs", "importers", "x.yaml"), importer)
	return e
}

// spool are the files that lie in the spool, half-written ones too.
func (e extended) spool(t *testing.T) (files []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(e.dir, ".ingest", "spool"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() != "id" {
			files = append(files, entry.Name())
		}
	}
	return files
}

// pairs is a format of lines like `key=value`; a line `!` is no row, `#` ends the reading, `^` panics.
type pairs struct {
	lines  *bufio.Scanner
	header []string
}

func (p *pairs) Header() []string { return p.header }

func (p *pairs) Next() (extend.Row, error) {
	if !p.lines.Scan() {
		return extend.Row{}, errors.Join(p.lines.Err(), io.EOF)
	}
	switch text := p.lines.Text(); text {
	case "!":
		return extend.Row{Fault: "no pair"}, nil
	case "#":
		return extend.Row{}, errors.New("a broken line")
	case "^":
		panic("secret")
	default:
		return extend.Row{Cells: strings.Split(text, "=")}, nil
	}
}

func pairsFormat() extend.Format {
	return extend.Format{Name: "pairs", Options: []string{"header"}, New: func(o *extend.Options) (func(io.Reader) (extend.Rows, error), error) {
		header := o.Texts("header")
		return func(r io.Reader) (extend.Rows, error) {
			p := &pairs{lines: bufio.NewScanner(r), header: header}
			if len(header) == 0 && !p.lines.Scan() {
				return nil, io.EOF
			}
			return p, nil
		}, nil
	}}
}

// TestAFormat: rows, faults, limits, compression and errors are what they are for CSV.
func TestAFormat(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, format, text string
		code               int
		says               string
	}{
		"rows":        {"x.txt", "header: [a, b]", "1=2\n3=4\n", 0, "created 2"},
		"compressed":  {"x.txt.gz", "header: [a, b]", "1=2\n", 0, "created 1"},
		"damaged":     {"y.txt.gz", "header: [a, b]", "", 4, "what it holds is not gz"},
		"empty":       {"x.txt", "nulls: []", "", 0, "The source is empty."},
		"a fault":     {"x.txt", "header: [a, b]", "1=2\n!\n", 3, "no pair"},
		"a long row":  {"x.txt", "header: [a, b], max_record: 3", "1=2345\n", 3, "The row is larger than 3 bytes."},
		"short rows":  {"x.txt", "header: [a, b], short_rows: pad", "1\n", 0, "created 1"},
		"an error":    {"x.txt", "header: [a, b]", "1=2\n#\n", 4, "The source cannot be read: a broken line"},
		"a panic":     {"x.txt", "header: [a, b]", "1=2\n^\n", 4, "The source could not be split (internal error)."},
		"two columns": {"x.txt", "header: [a, a]", "1=2\n", 4, "appears twice in the header"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := extendedBy(t, extend.Extensions{Formats: []extend.Format{pairsFormat()}}, "importer: x\nsource: {path: "+c.file+"}\n"+
				"format: {type: pairs, "+c.format+"}\ndestination: {table: x}\nfields: [{from: a, to: a}, {from: b, to: b}]\n")
			text := c.text
			if strings.HasPrefix(c.file, "x") && strings.HasSuffix(c.file, ".gz") {
				var packed bytes.Buffer
				w := gzip.NewWriter(&packed)
				_, err := io.WriteString(w, text)
				if err := errors.Join(err, w.Close()); err != nil {
					t.Fatal(err)
				}
				text = packed.String()
			} else if strings.HasSuffix(c.file, ".gz") {
				text = "this is no gzip"
			}
			write(t, filepath.Join(e.dir, c.file), text)
			got := e.run(t.Context(), "run", "x")
			if all := got.out + got.errors + e.run(t.Context(), "errors", "1").out; got.code != c.code || !strings.Contains(all, c.says) {
				t.Errorf("exit code %d, want %d and %q:\n%s", got.code, c.code, c.says, all)
			}
			if strings.Contains(got.errors, "secret") {
				t.Errorf("what a panic says, which may be a cell, is in the log:\n%s", got.errors)
			}
		})
	}
}

// TestAPanicCostsItsRow, also where the row is routed by what panics, and where rules and validators do; the others take
// effect whatever stands in them.
func TestAPanicCostsItsRow(t *testing.T) {
	t.Parallel()
	panics := func(text, at string) {
		if text == at {
			panic(text)
		}
	}
	e := extendedBy(t, extend.Extensions{
		Transforms: []extend.Transform{{Name: "fragile", New: func(*extend.Options) (func(extend.Value) (extend.Value, error), error) {
			return func(v extend.Value) (extend.Value, error) { panics(v.Text, "1"); return v, nil }, nil
		}}},
		Rules: []extend.Rule{{Name: "fragile", Message: "x", New: func([]string) (func(string) bool, error) {
			return func(text string) bool { panics(text, "2"); return true }, nil
		}}},
		Validators: []extend.Validator{{Name: "fragile", New: func(*extend.Options) (func(string) error, error) {
			return func(text string) error { panics(text, "3"); return nil }, nil
		}}},
	}, `importer: x
source: {path: x.csv}
destination: {table: x}
key: a
partitions: 3
fields: [{from: a, to: a, transform: [fragile], validate: [fragile]}]
rules: {a: fragile}
`)
	write(t, filepath.Join(e.dir, "x.csv"), "a\n1\n2\n3\n4\n5\n")
	got := e.run(t.Context(), "run", "x", "--output", "json")
	if got.code != 3 || !strings.Contains(got.out, `"failed": 3`) || !strings.Contains(got.out, `"created": 2`) {
		t.Errorf("got %+v", got)
	}
	if !strings.Contains(e.run(t.Context(), "errors", "1").out, "The row could not be processed (internal error).") {
		t.Errorf("the message is another one: %+v", e.run(t.Context(), "errors", "1"))
	}
}

// TestExtensionsThatCannotBe are refused whatever the command: nobody notices later that a name has another meaning.
func TestExtensionsThatCannotBe(t *testing.T) {
	t.Parallel()
	e := extended{t.TempDir(), extend.Extensions{
		Transforms: []extend.Transform{{Name: "trim"}, {Name: "Iban"}},
		Sources:    []extend.Source{sending(nil), sending(nil), {Name: "upload"}},
		Formats:    []extend.Format{{Name: "csv", Options: []string{"nulls"}}},
	}}
	got := e.run(t.Context(), "version")
	if got.code != exitUsage || got.out != "" {
		t.Errorf("got %+v", got)
	}
	for _, says := range []string{
		"the extension transform 'trim' has the name of a built-in one: give it another", "the extension transform 'trim' has no New",
		"the extension transform 'Iban' needs a name of lower-case letters", "the extension source 'mine' is there twice",
		"the extension source 'upload' has the name of a built-in one", "the extension format 'csv' has an option 'nulls', which is a key of every format",
	} {
		if !strings.Contains(got.errors, says) {
			t.Errorf("it does not say %q:\n%s", says, got.errors)
		}
	}
}

// TestOptionsOfExtensionsAreChecked where they stand, when the importer is read.
func TestOptionsOfExtensionsAreChecked(t *testing.T) {
	t.Parallel()
	refusing := func(o *extend.Options) {
		o.Required("name")
		o.Integer("size", 1, 5, 1)
	}
	e := extendedBy(t, extend.Extensions{
		Transforms: []extend.Transform{{Name: "change", Options: []string{"name", "size"}, New: func(o *extend.Options) (func(extend.Value) (extend.Value, error), error) {
			refusing(o)
			return nil, nil
		}}},
		Validators: []extend.Validator{{Name: "judge", New: func(*extend.Options) (func(string) error, error) { panic("x") }}},
		Rules: []extend.Rule{{Name: "law", Least: 1, Most: 2, Message: "x", New: func(args []string) (func(string) bool, error) {
			return nil, errors.New("needs a paragraph, not '" + args[0] + "'")
		}}},
		Formats: []extend.Format{{Name: "shape", Options: []string{"name", "size"}, New: func(o *extend.Options) (func(io.Reader) (extend.Rows, error), error) {
			refusing(o)
			return nil, nil
		}}},
		Sources: []extend.Source{{Name: "well", Options: []string{"name", "size"}, New: func(o *extend.Options) (extend.Stream, error) {
			refusing(o)
			return extend.Stream{}, nil
		}}},
	}, `importer: x
source:
  type: well
  name: "${month}"
  deep: 5
format:
  type: shape
  name: x
  size: 7
destination: {table: x}
fields:
  - from: a
    to: a
    transform: [{change: {size: 2}}, {chnge: x}]
    validate: [judge]
rules:
  a: required|law|law:x
messages: {law: y}
`)
	got := e.run(t.Context(), "check", "--output", "json")
	want := []string{
		`4:10: the importer has no parameter "month" (parameters are declared under ` + "`params`)",
		`5:3: the source 'well' has no option 'deep'; it has name, size`,
		`9:3: the format 'shape' needs a whole number from 1 to 5 as 'size'`,
		`14:18: the transform 'change' needs a text as 'name'`,
		`14:39: there is no transform 'chnge' (did you mean 'change'?)`,
		`15:16: the validator 'judge' has a bug: it panicked at its options`,
		`17:15: the rule 'law' takes 1 to 2 arguments, not 0`,
		`17:19: the rule 'law' needs a paragraph, not 'x'`,
	}
	var checked struct{ Data []struct{ Problems []string } }
	if err := json.Unmarshal([]byte(got.out), &checked); err != nil || len(checked.Data) != 1 {
		t.Fatalf("check: %+v, %v", got, err)
	}
	var problems []string
	for _, problem := range checked.Data[0].Problems {
		problems = append(problems, strings.TrimPrefix(problem, "x.yaml:"))
	}
	if diff := cmp.Diff(want, problems); got.code != exitRefused || diff != "" {
		t.Errorf("exit code %d (-want +got):\n%s", got.code, diff)
	}
}
