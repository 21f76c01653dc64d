package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ingest/integration/rig"
)

const laxImporter = `importer: %[1]s
source: {path: %[1]s.csv}
destination: {table: items, create_table: true, unique_index: false}
key: [n]
on_duplicate: %[2]s
partitions: 4
independent_rows: true
fields:
  - {from: n, to: n, type: integer}
  - {from: name, to: name}
`

// lax is an installation with two importers that write the same table, whose key has no unique index.
func lax(t *testing.T, to target, env ...string) *rig.System {
	t.Helper()
	settings := rig.SystemOptions{
		RedisURL:  rig.StartRedis(t, rig.RedisOptions{}).URL(),
		Importers: map[string]string{"one.yaml": fmt.Sprintf(laxImporter, "one", "update"), "two.yaml": fmt.Sprintf(laxImporter, "two", "skip")},
		Env:       env,
	}
	if to == toPostgres {
		settings.Database = rig.StartPostgres(t).Database("app")
	}
	s := rig.NewSystem(t, settings)
	s.Migrate()
	s.Coordinator()
	return s
}

// TestRunsAtOnceInsertNoKeyTwice although no index forbids it: chunks of both runs go one after the other, whoever is killed.
func TestRunsAtOnceInsertNoKeyTwice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		const rows = 1500
		s := lax(t, to, slow)
		lines := strings.Split(strings.TrimSuffix(counted(0, rows), "\n"), "\n")
		s.Write("one.csv", strings.Join(lines, "\n"))
		slices.Reverse(lines[1:]) // they meet in the middle
		s.Write("two.csv", strings.Join(lines, "\n"))
		s.Worker()
		doomed := s.Worker()
		ids := []int64{s.Begin("one"), s.Begin("two"), s.Begin("one"), s.Begin("two")}
		rig.Until(t, patience, "progress", func() bool { return s.Status(ids[1]).Progress.Processed > 0 })
		doomed.Kill9()
		var created int64
		for _, id := range ids {
			r := s.Await(id, patience)
			if created += r.Created; r.Status != "completed" || r.Progress.Processed != rows {
				t.Errorf("run %d: %+v", id, r)
			}
			s.Check(id)
		}
		if created != rows {
			t.Errorf("%d rows were created, want %d", created, rows)
		}
		if got := rig.Query(t, s.Database(), "SELECT COUNT(*) AS all_of_them, COUNT(DISTINCT n) AS keys FROM items"); got[0] != fmt.Sprintf("%d|%d", rows, rows) {
			t.Errorf("rows and keys: %v", got)
		}
		name := map[target]string{toSQLite: "items", toPostgres: "public.items"}[to]
		if got := rig.Query(t, s.Database(), "SELECT name FROM ingest_locks"); !slices.Equal(got, []string{name}) {
			t.Errorf("locks: %v", got)
		}
	})
}

// TestRowsWithOneKeyAreWrittenAlike: those that others left in the table; the dry run says before what the run then does.
func TestRowsWithOneKeyAreWrittenAlike(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		s := lax(t, to, "INGEST_CHUNK_SIZE=2")
		s.Worker()
		s.Exec("CREATE TABLE items (n integer, name text)")
		s.Exec("INSERT INTO items VALUES (1, 'a'), (1, 'b'), (2, 'two'), (2, 'two'), (3, 'three')")
		const file = "n,name\n1,x\n2,two\n4,four\n1,x\n4,vier\n5,five\n2,zwei\n5,five\n"
		s.Write("one.csv", file)
		s.Write("two.csv", file)
		for _, test := range []struct {
			slug, want string
			table      []string
		}{
			{"two", "created 2 updated 0 unchanged 0 skipped 6", []string{"1|a", "1|b", "2|two", "2|two", "3|three", "4|four", "5|five"}},
			{"one", "created 0 updated 3 unchanged 5 skipped 0", []string{"1|x", "1|x", "2|zwei", "2|zwei", "3|three", "4|vier", "5|five"}},
		} {
			for _, args := range [][]string{{test.slug, "--dry-run"}, {test.slug}} {
				r := s.Await(s.Begin(args...), patience)
				got := fmt.Sprintf("created %d updated %d unchanged %d skipped %d", r.Created, r.Updated, r.Unchanged, r.Skipped)
				if r.Status != "completed" || got != test.want {
					t.Errorf("%v: %s, %s; want %s", args, r.Status, got, test.want)
				}
			}
			if got := rig.Query(t, s.Database(), "SELECT n, name FROM items"); !slices.Equal(got, test.table) {
				t.Errorf("%s: the table has %v, want %v", test.slug, got, test.table)
			}
		}
		if shown := s.Must(0, "status", "2", "--output", "json"); !strings.Contains(shown, "One partition is used instead of 4: the key has no unique index in the table items.") {
			t.Errorf("status says:\n%s", shown)
		}
		if checked := s.CLI("check", "one", "--connect"); checked.Code != 0 {
			t.Errorf("check: %+v", checked)
		}
		s.Write("importers/one.yaml", strings.Replace(fmt.Sprintf(laxImporter, "one", "update"), ", unique_index: false", "", 1))
		const why = "the key 'n' needs a unique index in the table 'items' (or `unique_index: false` under `destination`): CREATE UNIQUE INDEX"
		if refused := s.CLI("run", "one", "--detach"); refused.Code != 1 || !strings.Contains(refused.Stderr, why) {
			t.Errorf("without the option: %+v", refused)
		}
	})
}

// TestAnIndexThatIsThereIsUsed: the option only allows it to be missing.
func TestAnIndexThatIsThereIsUsed(t *testing.T) {
	t.Parallel()
	s := lax(t, toSQLite)
	s.Worker()
	s.Exec("CREATE TABLE items (n integer PRIMARY KEY, name text)")
	s.Write("one.csv", counted(0, 100))
	id := s.Begin("one")
	if r := s.Await(id, patience); r.Status != "completed" || r.Created != 100 {
		t.Errorf("%+v", r)
	}
	if got := rig.Query(t, s.Database(), "SELECT COUNT(*) AS heads, (SELECT COUNT(*) FROM ingest_locks) AS locks FROM ingest_partitions"); got[0] != "4|0" {
		t.Errorf("partitions and locks: %v", got)
	}
}
