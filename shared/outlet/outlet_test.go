package outlet_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/extend"
	"ingest/shared/outlet"
)

func destination(t *testing.T, name string) extend.Destination {
	t.Helper()
	d, ok := extend.Extensions{Destinations: outlet.Destinations(time.Now)}.Destination(name)
	if !ok {
		t.Fatalf("there is no destination %s", name)
	}
	return d
}

// TestNoProgramTakesABuiltInName that could be the name of a program's own destination.
func TestNoProgramTakesABuiltInName(t *testing.T) {
	t.Parallel()
	for _, d := range outlet.Destinations(time.Now) {
		own := extend.Extensions{Destinations: []extend.Destination{{Name: d.Name, Open: d.Open}}}
		if err := own.Check(extend.Names{}); err == nil {
			t.Errorf("a program may add a destination '%s'", d.Name)
		}
	}
}

func TestURLsThatAreWrong(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"csv:":                           "the destination 'csv' needs a directory: csv:exports",
		"ndjson:":                        "the destination 'ndjson' needs a directory: ndjson:exports",
		"discard:x":                      "the destination 'discard' is just discard: with nothing behind it",
		"webhook+https://host/x":         "the destination 'webhook+https' needs a secret",
		"redis://:hidden@ho st/0":        "the destination 'redis' cannot use its URL",
		"redis://host/0?hidden=1":        "the destination 'redis' cannot use its URL",
		"redis+cluster://host/7":         "the destination 'redis+cluster' cannot use its URL",
		"redis+sentinel://host":          "the destination 'redis+sentinel' cannot use its URL",
		"redis://host/0?prefix=%zz":      "the destination 'redis' has a query that cannot be read",
		"csv:/x":                         "",
		"discard:":                       "",
		"rediss://u:p@host:1/2?prefix=a": "",
		"webhook+http://h?secret=s":      "",
	} {
		scheme, _, _ := strings.Cut(url, ":")
		if got := destination(t, scheme).Wrong(url); want == "" && got != "" || !strings.HasPrefix(got, want) || strings.Contains(got, "hidden") {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}

// some is a chunk with every type and every state of a value.
func some(table string, number int64) extend.Chunk {
	text := func(s string) *extend.Value { return &extend.Value{Text: s} }
	null := &extend.Value{Null: true}
	return extend.Chunk{
		Run: 7, UID: "0123456789abcdef", Key: "k", Partition: 3, Number: number, Table: table,
		Columns: []string{"t", `i"j`, "d", "f", "b", "j", "u"}, Types: []string{"text", "integer", "decimal", "float", "boolean", "json", "uuid"},
		Rows: []extend.Record{
			{Number: 1, Values: []*extend.Value{text("a\n<b>"), text("12345678901234567890"), text("-0.10"), text("1e300"), text("true"), text("{\n\"a\": [1]}"), text("1")}},
			{Number: 2, Values: []*extend.Value{text(""), null, nil, text("NaN"), text("false"), text("null"), null}},
			{Number: 3, Values: make([]*extend.Value, 7)},
		},
	}
}

// TestFiles: their content and their names; the same chunk again takes its own place.
func TestFiles(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{
		"ndjson": `{"t":"a\n<b>","i\"j":12345678901234567890,"d":-0.10,"f":1e300,"b":true,"j":{"a":[1]},"u":"1"}` + "\n" +
			`{"t":"","i\"j":null,"f":"NaN","b":false,"j":null,"u":null}` + "\n{}\n",
		"csv": "t,\"i\"\"j\",d,f,b,j,u\n\"a\n<b>\",12345678901234567890,-0.10,1e300,true,\"{\n\"\"a\"\": [1]}\",1\n\"\",,,NaN,false,null,\n,,,,,,\n",
	} {
		dir := filepath.Join(t.TempDir(), "a", "b")
		sink, err := destination(t, kind).Build(kind + ":" + dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []extend.Chunk{some("../x", 12), some("s.t", 2), some("s.t", 10), some("s.t", 10)} {
			if messages, err := sink.Write(t.Context(), c); err != nil || messages != nil {
				t.Fatalf("%v %v", messages, err)
			}
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, entry := range entries {
			names = append(names, entry.Name())
			if text, err := os.ReadFile(filepath.Join(dir, entry.Name())); err != nil || string(text) != want {
				t.Errorf("%s: %v\n%s", entry.Name(), err, cmp.Diff(want, string(text)))
			}
		}
		if diff := cmp.Diff([]string{
			"%2E.%2Fx-000007-01234567-0003-00000012." + kind, "s.t-000007-01234567-0003-00000002." + kind, "s.t-000007-01234567-0003-00000010." + kind,
		}, names); diff != "" {
			t.Error(diff)
		}
	}
}

// TestACSVFileOfOneColumn has a line for every row that is not blank.
func TestACSVFileOfOneColumn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sink, err := destination(t, "csv").Build("csv:" + dir)
	if err != nil {
		t.Fatal(err)
	}
	c := extend.Chunk{Table: "t", Columns: []string{"a"}, Types: []string{"text"}, Rows: []extend.Record{
		{Values: []*extend.Value{{Null: true}}}, {Values: []*extend.Value{nil}}, {Values: []*extend.Value{{Text: "x"}}},
	}}
	if _, err := sink.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "*.csv"))
	if text, err := os.ReadFile(paths[0]); err != nil || string(text) != "a\n\"\"\n\"\"\nx\n" {
		t.Errorf("%q %v", text, err)
	}
}

// TestADirectoryThatCannotBe ends the run; one that somebody took away is made again.
func TestADirectoryThatCannotBe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	sink, err := destination(t, "csv").Build("csv:" + filepath.Join(file, "below"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = sink.Write(t.Context(), some("t", 1))
	checked := sink.(extend.Checker).Check(t.Context())
	if !extend.IsPermanent(err) || !regexp.MustCompile(`^make the directory: .*not a directory$`).MatchString(err.Error()) || checked == nil {
		t.Errorf("%v; %v", err, checked)
	}
	out := filepath.Join(dir, "out")
	if sink, err = destination(t, "csv").Build("csv:" + out); err != nil {
		t.Fatal(err)
	}
	if err := sink.(extend.Checker).Check(t.Context()); err != nil {
		t.Errorf("a directory that can be made: %v", err)
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("a check made the directory: %v", err)
	}
	for range 2 {
		if _, err := sink.Write(t.Context(), some("t", 1)); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(out); err != nil {
			t.Fatal(err)
		}
		if _, err := sink.Write(t.Context(), some("t", 1)); err == nil || extend.IsPermanent(err) {
			t.Errorf("the directory is gone: %v", err)
		}
	}
}
