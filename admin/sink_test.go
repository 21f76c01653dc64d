package admin

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/extend"
)

// collector is a destination `heap:anything` that keeps what it is given.
type collector struct {
	mu     sync.Mutex
	chunks []extend.Chunk
	closed bool
	// answer may refuse the n-th delivery.
	answer func(n int, c extend.Chunk) ([]string, error)
	tries  int
}

func (c *collector) Write(_ context.Context, chunk extend.Chunk) ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tries++
	if c.answer != nil {
		if messages, err := c.answer(c.tries, chunk); err != nil || messages != nil {
			if err == nil {
				c.chunks = append(c.chunks, chunk)
			}
			return messages, err
		}
	}
	c.chunks = append(c.chunks, chunk)
	return nil, nil
}

func (c *collector) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

func (c *collector) destination() extend.Destination {
	return extend.Destination{Name: "heap", Strategies: []string{"update"}, Open: func(url string) (extend.Sink, error) {
		if url == "heap:" {
			return nil, errors.New("needs a name")
		}
		return c, nil
	}}
}

// lines are the rows of all chunks, table first, in the order of delivery.
func (c *collector) lines() (list []string) {
	for _, chunk := range c.chunks {
		for _, row := range chunk.Rows {
			words := []string{chunk.Table}
			for i, value := range row.Values {
				switch {
				case value == nil:
				case value.Null:
					words = append(words, chunk.Columns[i]+"=NULL")
				default:
					words = append(words, chunk.Columns[i]+"="+value.Text)
				}
			}
			list = append(list, strings.Join(words, " "))
		}
	}
	return list
}

// into makes a directory whose importer x goes to a collector.
func into(t *testing.T, c *collector, more, file string) extended {
	t.Helper()
	e := extendedBy(t, extend.Extensions{Destinations: []extend.Destination{c.destination()}}, `importer: x
source: {path: x.csv}
destination: {connection: out, table: x}
fields:
  - {from: id, to: id}
  - {from: n, to: n, type: "decimal(5,1)"}
  - {from: kind, to: kind, when: 'row.kind != "none"'}
`+more)
	write(t, filepath.Join(e.dir, "configs", "ingest.yaml"), "connections:\n  out: {url: \"heap:one\"}\n")
	write(t, filepath.Join(e.dir, "x.csv"), file)
	return e
}

const someRows = "id,n,kind\na,1.25,x\nb,,none\nc,many,x\nd,4,y\n"

// TestRowsGoToADestinationOfOnesOwn: converted, NULL apart from absent, to the tables of table_when; what fails before is not
// delivered, what the destination refuses fails with its message.
func TestRowsGoToADestinationOfOnesOwn(t *testing.T) {
	t.Parallel()
	c := &collector{answer: func(_ int, chunk extend.Chunk) ([]string, error) {
		messages := make([]string, len(chunk.Rows))
		for i, row := range chunk.Rows {
			if row.Values[0].Text == "d" {
				messages[i] = "There is no room for it."
			}
		}
		return messages, nil
	}}
	e := into(t, c, "key: id\non_duplicate: update\ntable_when: [{when: 'row.kind == \"y\"', table: y}]\n", someRows)
	if got := e.run(t.Context(), "check", "--connect"); got.code != 0 {
		t.Errorf("check: %+v", got)
	}
	if got := e.run(t.Context(), "preview", "x"); got.code != 0 || !strings.Contains(got.out, "1.3") {
		t.Errorf("preview: %+v", got)
	}
	dry := e.run(t.Context(), "run", "x", "--dry-run")
	if len(c.chunks) > 0 || dry.code != 3 || !strings.Contains(dry.out, "created 3") {
		t.Errorf("the dry run delivered %v: %+v", c.lines(), dry)
	}
	real := e.run(t.Context(), "run", "x")
	if real.code != 3 || !strings.Contains(real.out, "created 2") || !c.closed {
		t.Errorf("got %+v, closed %t", real, c.closed)
	}
	if diff := cmp.Diff([]string{"x id=a n=1.3 kind=x", "x id=b n=NULL", "y id=d n=4 kind=y"}, c.lines()); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}
	first := c.chunks[0]
	if first.Run != 2 || first.Importer != "x" || first.OnDuplicate != "update" || len(first.KeyColumns) != 1 || first.Key == c.chunks[1].Key {
		t.Errorf("the chunk: %+v", first)
	}
	errorsOf := e.run(t.Context(), "errors", "2").out
	for _, says := range []string{"The n field must be a number.", "There is no room for it."} {
		if !strings.Contains(errorsOf, says) {
			t.Errorf("it does not say %q:\n%s", says, errorsOf)
		}
	}
	if got := e.run(t.Context(), "verify", "2"); got.code != 0 {
		t.Errorf("verify: %+v", got)
	}
	c.answer = nil
	write(t, filepath.Join(e.dir, "configs", "importers", "x.yaml"), strings.ReplaceAll(`importer: x
source: {path: x.csv}
destination: {connection: out, table: x}
key: id
on_duplicate: update
fields: [{from: id, to: id}, {from: n, to: n}]
`, "\t", ""))
	if got := e.run(t.Context(), "retry", "2"); got.code != 0 || !strings.Contains(got.out, "created 2") {
		t.Errorf("retry: %+v", got)
	}
}

// TestADestinationThatIsNotThere gets the chunk again, under the same key, until it is; the run fails by what no repetition
// mends, and by a bug.
func TestADestinationThatIsNotThere(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer func(n int, c extend.Chunk) ([]string, error)
		code   int
		says   string
		tries  int
	}{
		"it comes back": {func(n int, _ extend.Chunk) ([]string, error) {
			if n < 3 {
				return nil, errors.New("connection refused")
			}
			return nil, nil
		}, 3, "created 3", 3},
		"for good": {func(int, extend.Chunk) ([]string, error) {
			return nil, extend.Permanent(errors.New("the account is closed"))
		}, 4, "The destination refused: the account is closed", 1},
		"a panic":        {func(int, extend.Chunk) ([]string, error) { panic("secret") }, 4, "it panicked at a chunk", 1},
		"a wrong answer": {func(int, extend.Chunk) ([]string, error) { return []string{""}, nil }, 4, "it answered 1 of 3 rows", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys := map[string]bool{}
			c := &collector{answer: func(n int, chunk extend.Chunk) ([]string, error) {
				keys[chunk.Key] = true
				return test.answer(n, chunk)
			}}
			e := into(t, c, "", someRows)
			got := e.run(t.Context(), "run", "x")
			if got.code != test.code || !strings.Contains(got.out+got.errors, test.says) || c.tries != test.tries || len(keys) != 1 {
				t.Errorf("%d tries, %d keys, want %d and 1; exit code %d, want %d and %q:\n%s%s",
					c.tries, len(keys), test.tries, got.code, test.code, test.says, got.out, got.errors)
			}
			if strings.Contains(got.errors, "sink_test.go") != (name == "a panic") || strings.Contains(got.errors, "secret") {
				t.Errorf("the log says where a panic happened, and not what it says:\n%s", got.errors)
			}
		})
	}
}

// TestWhatADestinationOfOnesOwnCannotDo is refused when a run is to start, and by check.
func TestWhatADestinationOfOnesOwnCannotDo(t *testing.T) {
	t.Parallel()
	const no = "the connection 'out' is no SQL database (heap): it has no "
	for more, says := range map[string]string{
		"relations: [{from: kind, to: k, table: kinds, match: name}]\n":          no + "relations",
		"nested: [{from: n, table: y, parent: x, fields: [{from: a, to: a}]}]\n": no + "nested lists",
		"rules: {id: 'unique:x,id'}\n":                                           no + "tables that rules could ask",
		"transaction: chunk\n":                                                   no + "transactions",
		"transaction: run\n":                                                     no + "transactions",
		"unmapped: pass\n":                                                       no + "columns for unmapped ones",
		"key: id\n":                                                              "the connection 'out' (heap) does not know on_duplicate: skip; it knows update",
		"key: id\non_duplicate: update_if_newer\ncompare: {source: n, column: n}\n": "the connection 'out' (heap) does not know on_duplicate: update_if_newer",
	} {
		c := &collector{}
		e := into(t, c, more, someRows)
		run, check := e.run(t.Context(), "run", "x"), e.run(t.Context(), "check", "--connect", "--output", "json")
		if run.code != exitRefused || !strings.Contains(run.errors, says) || c.tries > 0 {
			t.Errorf("%s: %+v", more, run)
		}
		var found struct{ Data []struct{ Problems []string } }
		if err := json.Unmarshal([]byte(check.out), &found); err != nil || check.code != exitRefused ||
			len(found.Data) != 1 || !strings.Contains(strings.Join(found.Data[0].Problems, "\n"), "x.yaml:3:27: "+says) {
			t.Errorf("%s: check says %+v", more, check)
		}
	}
}

// TestADestinationWithoutStrategies takes rows without a key, and says so.
func TestADestinationWithoutStrategies(t *testing.T) {
	t.Parallel()
	c := &collector{}
	d := c.destination()
	d.Strategies = nil
	e := extendedBy(t, extend.Extensions{Destinations: []extend.Destination{d}}, `importer: x
source: {path: x.csv}
destination: {connection: out, table: x}
key: id
fields: [{from: id, to: id}]
`)
	write(t, filepath.Join(e.dir, "configs", "ingest.yaml"), "connections:\n  out: {url: \"heap:one\"}\n")
	write(t, filepath.Join(e.dir, "x.csv"), someRows)
	if got := e.run(t.Context(), "run", "x"); got.code != exitRefused ||
		!strings.Contains(got.errors, "the connection 'out' (heap) takes no key: leave `key` out") {
		t.Errorf("got %+v", got)
	}
}

// TestADestinationIsNotMigrated: it has no tables, and those of its runs are the default connection's.
func TestADestinationIsNotMigrated(t *testing.T) {
	t.Parallel()
	e := into(t, &collector{}, "", someRows)
	if got := e.run(t.Context(), "migrate"); got.code != 0 || !strings.Contains(got.out, "default") || strings.Contains(got.out, "out ") {
		t.Errorf("got %+v", got)
	}
}

// TestURLsOfDestinations: a URL that the destination refuses ends the run; only other connections than `default` go there.
func TestURLsOfDestinations(t *testing.T) {
	t.Parallel()
	c := &collector{}
	e := into(t, c, "", someRows)
	write(t, filepath.Join(e.dir, "configs", "ingest.yaml"), "connections:\n  out: {url: \"heap:\"}\n")
	if got := e.run(t.Context(), "run", "x"); got.code != 4 || !strings.Contains(got.out+got.errors, "The destination cannot be opened: the destination 'heap' needs a name.") {
		t.Errorf("a refused URL: %+v", got)
	}
	write(t, filepath.Join(e.dir, "configs", "ingest.yaml"), "connections:\n  default: {url: \"heap:one\"}\n")
	if got := e.run(t.Context(), "list"); got.code != exitUsage || !strings.Contains(got.errors, `connection "default": it has the engine's own tables and must be one of sqlite:PATH, postgres://… and mysql://…`) {
		t.Errorf("the default connection: %+v", got)
	}
}

// TestRowsOfOneTableComeTogether, in file order, whatever sent them there.
func TestRowsOfOneTableComeTogether(t *testing.T) {
	t.Parallel()
	c := &collector{}
	e := into(t, c, "table_when: [{when: 'row.kind == \"y\"', table: y}, {when: 'row.kind == \"z\"', table: x}, {when: 'row.kind == \"w\"', table: y}]\n",
		"id,n,kind\na,1,x\nb,1,w\nc,1,z\nd,1,y\ne,1,x\n")
	if got := e.run(t.Context(), "run", "x"); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	if diff := cmp.Diff([]string{"x id=a n=1 kind=x", "x id=c n=1 kind=z", "x id=e n=1 kind=x", "y id=b n=1 kind=w", "y id=d n=1 kind=y"}, c.lines()); diff != "" {
		t.Error(diff)
	}
	if len(c.chunks) != 2 || c.chunks[0].Key == c.chunks[1].Key || c.chunks[0].UID == "" || strings.Join(c.chunks[0].Types, " ") != "text decimal text" {
		t.Errorf("%+v", c.chunks)
	}
}
