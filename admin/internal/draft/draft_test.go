package draft_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"ingest/admin/internal/draft"
	"ingest/shared/column"
	"ingest/shared/extend"
	"ingest/shared/format"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/row"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func sample(text string) draft.Source {
	return draft.Source{Rows: 1000, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
}

// made is the definition that is drafted of a sample, and its text.
func made(t interface {
	Helper()
	Fatalf(string, ...any)
}, s draft.Source,
) (importer.Definition, string) {
	t.Helper()
	d, err := draft.Read(s)
	if err != nil {
		t.Fatalf("read the sample: %v", err)
	}
	text := d.Importer(draft.Names{Importer: "made", Sample: "sample.csv", Path: "data/sample.csv"})
	parsed, err := importer.Parse("made.yaml", text, pipeline.Checks(extend.Extensions{}))
	if err != nil {
		t.Fatalf("the importer is not valid: %v\n%s", err, text)
	}
	return parsed, string(text)
}

// types are what databases make of a field's type.
func types(t *testing.T, f importer.Field) []column.Type {
	t.Helper()
	postgres, err := importer.ColumnType(f.Type)
	if err != nil {
		t.Fatal(err)
	}
	lite := postgres
	if lite.Kind == column.Decimal {
		lite.Digits = 15
	}
	return []column.Type{postgres, lite}
}

// refused returns the messages of the rows that the importer fails on a sample.
func refused(t *testing.T, d importer.Definition, s draft.Source) (messages []string, rows int) {
	t.Helper()
	for database := range 2 {
		var table column.Table
		for _, f := range d.Fields {
			table.Columns = append(table.Columns, column.Column{Name: f.To, Type: types(t, f)[database]})
		}
		file, err := s.Open()
		if err != nil {
			t.Fatal(err)
		}
		c, err := format.Open(file, format.Options{Delimiter: d.Format.Delimiter, Compression: s.Compression})
		if err != nil {
			t.Fatal(err)
		}
		program, err := pipeline.Compile(d, pipeline.Setting{Header: c.Header(), Table: table})
		if err != nil {
			t.Fatal(err)
		}
		rows = 0
		var r row.Row
		for {
			err := c.Next(&r)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			rows++
			record := pipeline.Record{Values: make([]column.Value, program.Width())}
			if failure := program.Apply(r, nil, &record); failure != nil {
				messages = append(messages, failure.Message)
			}
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	return messages, rows
}

// TestDrafts compares what is made of each sample with a golden file, and runs the sample by it.
func TestDrafts(t *testing.T) {
	t.Parallel()
	samples, err := filepath.Glob("testdata/*.csv")
	if err != nil || len(samples) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, name := range samples {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			s := draft.Source{Rows: 1000, Open: func() (io.ReadCloser, error) { return os.Open(name) }}
			d, text := made(t, s)
			if messages, _ := refused(t, d, s); messages != nil {
				t.Errorf("rows of the sample fail: %q", messages)
			}
			golden := strings.TrimSuffix(name, ".csv") + ".golden.yaml"
			if *update {
				if err := os.WriteFile(golden, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), text); diff != "" {
				t.Errorf("importer (-want +got), -update rewrites it:\n%s", diff)
			}
		})
	}
}

// TestRealFiles: every row of the files of the demo is taken.
func TestRealFiles(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]struct {
		rows int
		key  string
		typs map[string]string
	}{
		"countries.csv": {249, "id", map[string]string{"id": "integer", "code": "text", "continent": "text"}},
		"regions.csv":   {3987, "id", map[string]string{"id": "integer", "local_code": "text"}},
		"navaids.csv": {11008, "id", map[string]string{
			"frequency_khz": "integer", "elevation_ft": "integer", "latitude_deg": "float", "usage_type": "text", "ident": "text",
		}},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			s := draft.Source{Rows: 100_000, Open: func() (io.ReadCloser, error) { return os.Open("../../../configs/demo/data/" + file) }}
			d, _ := made(t, s)
			if messages, rows := refused(t, d, s); messages != nil || rows != want.rows {
				t.Errorf("of %d rows, want %d, these fail: %q", rows, want.rows, messages)
			}
			if len(d.Key) != 1 || d.Key[0] != want.key {
				t.Errorf("the key is %v, want %s", d.Key, want.key)
			}
			for _, f := range d.Fields {
				if typ, listed := want.typs[f.To]; listed && f.Type != typ {
					t.Errorf("%s is %s, want %s", f.To, f.Type, typ)
				}
			}
		})
	}
}

// TestGuesses says for the values of one column what field is made of them.
func TestGuesses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header, values, want string
	}{
		"integers":                {"a", "1|-20|300", "integer"},
		"with blanks around":      {"a", " 1|2 ", "integer"},
		"great integers":          {"a", "1|12345678901", "bigint"},
		"fifteen digits":          {"a", "123456789012345", "bigint"},
		"sixteen digits":          {"a", "1234567890123456", "text"},
		"leading zeros":           {"a", "02|13", "text"},
		"a plus":                  {"a", "+491234|+495678", "text"},
		"an exponent":             {"a", "1E5|2E6", "text"},
		"decimals":                {"a", "1|2.50|-0.5", "decimal"},
		"decimals beyond fifteen": {"a", "52.55889892578125|1", "float"},
		"more than a float keeps": {"a", "0.1234567890123456789", "text"},
		"a decimal comma":         {"a", "1.234,5|7|0,25", "decimal numeric"},
		"thousands":               {"a", "1,234,567|12", "decimal numeric"},
		"either":                  {"a", "1,234|5,678", "text"},
		"zeros and ones":          {"a", "0|1|1", "integer"},
		"zeros and ones by name":  {"is_active", "0|1|1", "boolean"},
		"by a name in camel case": {"isActive", "1|1", "boolean"},
		"by true":                 {"a", "true|TRUE", "boolean"},
		"yes and no":              {"a", "yes|No", "boolean"},
		"only no, as Norway":      {"a", "NO|NO", "text"},
		"letters":                 {"a", "y|n", "text"},
		"dates":                   {"a", "2024-01-31|1999-12-01", "date"},
		"an impossible date":      {"a", "2024-02-30", "text"},
		"moments":                 {"a", "2024-01-31 10:00|2024-01-31T10:00:00Z", "datetime"},
		"both":                    {"a", "2024-01-31|2024-01-31 10:00", "text"},
		"German dates":            {"a", "31.1.2024|01.02.2024", "date date"},
		"day first":               {"a", "31/01/2024|01/02/2024", "date date"},
		"month first":             {"a", "01/31/2024|01/02/2024", "date date"},
		"day or month":            {"a", "01/02/2024|03/04/2024", "text"},
		"two formats":             {"a", "31/01/2024|01/31/2024", "text"},
		"with a time":             {"a", "31.01.2024 07:05", "datetime date"},
		"by the clock of twelve":  {"a", "01/31/2024 7:05 PM", "datetime date"},
		"spelled":                 {"a", "Jan 31, 2024", "date date"},
		"uuids":                   {"a", "550e8400-e29b-41d4-a716-446655440000", "uuid"},
		"digits that could be":    {"a", "550e8400e29b41d4a716446655440000", "text"},
		"nothing":                 {"a", "|", "text"},
		"only blanks":             {"a", "1|  ", "text"},
		"words":                   {"a", "x|1", "text"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var text strings.Builder
			text.WriteString(c.header + ";other\n")
			for _, value := range strings.Split(c.values, "|") {
				text.WriteString(`"` + value + `";x` + "\n")
			}
			s := sample(text.String())
			d, yaml := made(t, s)
			got := d.Fields[0].Type
			for _, transform := range d.Fields[0].Transform {
				got += " " + transform.Name
			}
			if got != c.want {
				t.Errorf("it is %s, want %s\n%s", got, c.want, yaml)
			}
			if messages, _ := refused(t, d, s); messages != nil {
				t.Errorf("rows of the sample fail: %q\n%s", messages, yaml)
			}
		})
	}
}

func TestRefusedSamples(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"empty":                {"", "The file is empty: there is nothing to make an importer of."},
		"only a mark":          {"\xef\xbb\xbf\n \n", "The file is empty: there is nothing to make an importer of."},
		"latin-1":              {"id,name\n1,K\xf6ln\n", `The column 'name' of the row in line 2 is not valid UTF-8. Save the file again as "CSV UTF-8".`},
		"latin-1 in a header":  {"id,Gr\xf6\xdfe\n", `Column 2 of the header is not valid UTF-8. Save the file again as "CSV UTF-8".`},
		"utf-16":               {"\xff\xfei\x00d\x00\n\x00", `The file is UTF-16, not UTF-8: save it again as "CSV UTF-8".`},
		"a NUL":                {"id\n1\x00\n", "The column 'id' of the row in line 2 contains a NUL character."},
		"a name twice":         {"id,Notes,x,Notes\n", "The column 'Notes' appears twice in the header (columns 2 and 4)."},
		"no name":              {",_row_number\n1,2\n", "The header names no column to map: blank names and names that begin with _ are ignored."},
		"a quote never closed": {"id\n\"1\n", "line 2: a quoted field that is never closed"},
		"a spreadsheet":        {"PK\x03\x04xl/", "The file looks like XLSX, not CSV."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := draft.Read(sample(c.text)); err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestNamesOfTargets(t *testing.T) {
	t.Parallel()
	d, _ := made(t, sample("usageType,E-Mail,Größe (mm),2024,€,ctid,A b,a_b,"+strings.Repeat("long ", 20)+","+strings.Repeat("long ", 20)+"x\n"))
	var got []string
	for _, f := range d.Fields {
		got = append(got, f.To)
	}
	long := strings.Repeat("long_", 20)
	want := []string{"usage_type", "e_mail", "grosse_mm", "column_2024", "eu", "column_ctid", "a_b", "a_b_2", long[:58], long[:58] + "_2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
}

func TestDelimiters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a,b\n1,2\n":                         ",",
		"a;b\n1,5;2,5\n":                     ";",
		"a;b;c, d\n1;2,5;x\n":                ";",
		"a\tb c, d\n1\t2\n":                  "\t",
		"a|b\n\"1\n|\"|2\n":                  "|",
		"sep=;\na;b\n1;2\n":                  ";",
		"Notes; misc\nhello\nworld, or so\n": ",",
		"a;b;c\n":                            ";",
		"a\n1\n":                             ",",
	} {
		d, yaml := made(t, sample(text))
		if d.Format.Delimiter != want {
			t.Errorf("%q: %q, want %q\n%s", text, d.Format.Delimiter, want, yaml)
		}
	}
}

func TestCompressedSampleAndItsBound(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte("id;n\n1;2\n2;3\n3;x\n")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	d, text := made(t, draft.Source{
		Compression: "gz", Rows: 2,
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil },
	})
	if d.Fields[1].Type != "integer" || d.Format.Delimiter != ";" || !strings.Contains(text, "its first 2 rows; there are more") {
		t.Errorf("got %+v\n%s", d, text)
	}
}
