package integration

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ingest/integration/rig"
)

// TestADestinationOfOnesOwn: the example's files have every row once, whatever was killed, because a chunk that is delivered
// again takes its own place.
func TestADestinationOfOnesOwn(t *testing.T) {
	t.Parallel()
	const rows = 60_000
	var file strings.Builder
	file.WriteString("id,n\n")
	for i := range rows {
		fmt.Fprintf(&file, "%d,%d\n", i, i%7)
	}
	s := rig.NewSystem(t, rig.SystemOptions{
		RedisURL: rig.StartRedis(t, rig.RedisOptions{}).URL(), Binary: rig.Example(t),
		Env: []string{"INGEST_CONNECTIONS_ARCHIVE_URL=jsonl:exports"},
		Importers: map[string]string{"x.yaml": "importer: x\nsource: {path: x.csv}\nchunk_size: 50\npartitions: 4\n" +
			"destination: {connection: archive, table: numbers}\nfields: [{from: id, to: id}, {from: n, to: n, type: integer}]\n"},
	})
	s.Write("x.csv", file.String())
	s.Migrate()
	s.Coordinator()
	workers := []*rig.Process{s.Worker(), s.Worker()}
	id := s.Begin("x")
	kills := 0
	for last := int64(0); ; kills++ {
		rig.Until(t, patience, "progress", func() bool {
			r := s.Status(id)
			return r.Terminal() || r.Progress.Processed > last+5_000
		})
		r := s.Status(id)
		if r.Terminal() {
			break
		}
		last = r.Progress.Processed
		victim := kills % len(workers)
		workers[victim].Kill9()
		workers[victim] = s.Worker()
	}
	if kills < 2 {
		t.Fatalf("workers were killed %d times: the run was too short to prove anything", kills)
	}
	if r := s.Status(id); r.Status != "completed" || r.Created != rows {
		t.Errorf("the run: %+v", r)
	}
	s.Check(id)
	if seen := exported(t, filepath.Join(s.Dir, "exports", "numbers")); len(seen) != rows {
		t.Errorf("%d different rows were exported, want %d", len(seen), rows)
	} else {
		for id, times := range seen {
			if times != 1 {
				t.Fatalf("row %s was exported %d times", id, times)
			}
		}
	}
}

// exported counts the rows of the files by their id.
func exported(t *testing.T, dir string) map[string]int {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	seen := map[string]int{}
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			var row struct{ ID string }
			if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
				t.Fatal(err)
			}
			seen[row.ID]++
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return seen
}
