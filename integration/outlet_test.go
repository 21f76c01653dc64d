package integration

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ingest/integration/rig"
	"ingest/shared/outlet"
)

// outlets are importers of the same rows into every built-in destination that can be read again, by their connections.
func outlets(connections ...string) map[string]string {
	all := map[string]string{}
	for _, c := range connections {
		all[c+".yaml"] = "importer: " + c + "\nsource: {path: x.csv}\nchunk_size: 50\npartitions: 4\nkey: id\non_duplicate: update\n" +
			"destination: {connection: " + c + ", table: rows}\nfields:\n  - {from: id, to: id}\n  - {from: n, to: n, type: \"decimal(8,2)\"}\n" +
			"  - {from: t, to: t}\n  - {from: b, to: b, type: boolean}\n  - {from: t, to: gone, when: 'row.id != \"7\"'}\n"
	}
	return all
}

// typedRows is a file of rows with texts that are hard to write, and what each is as JSON.
func typedRows(rows int) (file string, want map[string]string) {
	var b strings.Builder
	b.WriteString("id,n,t,b\n")
	want = map[string]string{}
	for i := range rows {
		id, text := fmt.Sprint(i), []string{"plain", `"a ""quoted"", text"`, "", "\"two\nlines\"", " blanks ", "<ü>"}[i%6]
		fmt.Fprintf(&b, "%s,%d.5,%s,%v\n", id, i, text, i%2 == 0)
		value := []string{`"plain"`, `"a \"quoted\", text"`, "null", `"two\nlines"`, `" blanks "`, `"<ü>"`}[i%6]
		want[id] = fmt.Sprintf(`{"id":"%s","n":%d.5,"t":%s,"b":%v`, id, i, value, i%2 == 0)
		if i != 7 {
			want[id] += `,"gone":` + value
		}
		want[id] += "}"
	}
	return b.String(), want
}

// TestFilesOfChunks: CSV and NDJSON have every row once, as it was converted, whatever was killed.
func TestFilesOfChunks(t *testing.T) {
	t.Parallel()
	const rows = 12_000
	s := rig.NewSystem(t, rig.SystemOptions{
		RedisURL:  rig.StartRedis(t, rig.RedisOptions{}).URL(),
		Env:       []string{"INGEST_CONNECTIONS_LINES_URL=ndjson:out/lines", "INGEST_CONNECTIONS_TABLE_URL=csv:out/table"},
		Importers: outlets("lines", "table"),
	})
	file, want := typedRows(rows)
	s.Write("x.csv", file)
	s.Coordinator()
	workers := []*rig.Process{s.Worker(), s.Worker()}
	for _, importer := range []string{"lines", "table"} {
		id := s.Begin(importer)
		rig.Until(t, patience, "some chunks", func() bool { return s.Status(id).Progress.Processed > 500 })
		workers[0].Kill9()
		workers[0] = s.Worker()
		if r := s.Await(id, patience); r.Status != "completed" || r.Created != rows {
			t.Errorf("the run of %s: %+v", importer, r)
		}
		s.Check(id)
	}
	compareRows(t, want, lines(t, filepath.Join(s.Dir, "out", "lines")))

	seen := map[string]string{}
	for _, row := range tabled(t, filepath.Join(s.Dir, "out", "table")) {
		if _, twice := seen[row[0]]; twice {
			t.Fatalf("row %s is there twice", row[0])
		}
		seen[row[0]] = strings.Join(row[1:], "|")
	}
	for id, text := range map[string]string{
		"0": "0.5|plain|true|plain", "1": `1.5|a "quoted", text|false|a "quoted", text`, "2": "2.5||true|",
		"3": "3.5|two\nlines|false|two\nlines", "4": "4.5| blanks |true| blanks ", "7": `7.5|a "quoted", text|false|`,
	} {
		if seen[id] != text {
			t.Errorf("row %s of the CSV files is %q, want %q", id, seen[id], text)
		}
	}
	if len(seen) != rows {
		t.Errorf("the CSV files have %d rows, want %d", len(seen), rows)
	}

	// A second run takes nobody's place.
	before := len(names(t, filepath.Join(s.Dir, "out", "lines")))
	s.Must(0, "run", "lines")
	if after := len(names(t, filepath.Join(s.Dir, "out", "lines"))); after != 2*before {
		t.Errorf("%d files after a second run, %d after the first", after, before)
	}
}

// TestAChunkBetweenDeliveryAndRecord: its file or its hashes are there, it is not recorded, its worker is killed; the next one
// delivers it again and nothing but what should be there is.
func TestAChunkBetweenDeliveryAndRecord(t *testing.T) {
	t.Parallel()
	const rows = 150
	postgres, redis := rig.StartPostgres(t), rig.StartRedis(t, rig.RedisOptions{})
	s := rig.NewSystem(t, rig.SystemOptions{
		RedisURL: redis.URL(), Database: postgres.Database("between"),
		Env: []string{
			"INGEST_CONNECTIONS_LINES_URL=ndjson:lines",
			"INGEST_CONNECTIONS_CACHE_URL=" + strings.TrimSuffix(redis.URL(), "0") + "1?prefix=shop:",
		},
		Importers: outlets("lines", "cache"),
	})
	file, want := typedRows(rows)
	s.Write("x.csv", file)
	s.Migrate()
	// No outcome can be recorded, but that may pass: as often as a chunk is tried it is delivered.
	postgres.SQL("between", `CREATE FUNCTION hinder() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		RAISE EXCEPTION 'not now' USING ERRCODE = '40001'; END $$`)
	s.Coordinator()
	delivered := map[string]func() bool{
		"lines": func() bool { return len(names(t, filepath.Join(s.Dir, "lines"))) > 0 },
		"cache": func() bool { return redis.Command("-n", "1", "DBSIZE") != "0" },
	}
	for _, importer := range slices.Sorted(maps.Keys(delivered)) {
		postgres.SQL("between", `CREATE TRIGGER hinder BEFORE INSERT ON ingest_chunks FOR EACH ROW EXECUTE FUNCTION hinder()`)
		id := s.Begin(importer)
		worker := s.Worker()
		rig.Until(t, patience, "a delivered chunk", delivered[importer])
		if r := s.Status(id); r.Created != 0 {
			t.Errorf("%s: %d rows are recorded", importer, r.Created)
		}
		worker.Kill9()
		postgres.SQL("between", `DROP TRIGGER hinder ON ingest_chunks`)
		next := s.Worker()
		if r := s.Await(id, patience); r.Status != "completed" || r.Created != rows {
			t.Errorf("%s: %+v", importer, r)
		}
		s.Check(id)
		next.Term()
	}
	compareRows(t, want, lines(t, filepath.Join(s.Dir, "lines")))
	for _, name := range names(t, filepath.Join(s.Dir, "lines")) {
		if !strings.HasPrefix(name, "rows-") && !strings.HasPrefix(name, ".ingest-") {
			t.Errorf("there is a file %s", name)
		}
	}
	if size := redis.Command("-n", "1", "DBSIZE"); size != fmt.Sprint(rows) {
		t.Errorf("%s keys are in Redis, want %d", size, rows)
	}
	for id, fields := range map[string]string{
		"0": "b true gone plain id 0 n 0.5 t plain", "2": "b true id 2 n 2.5", "7": `b false id 7 n 7.5 t a "quoted", text`,
	} {
		if got := hash(redis, "shop:rows:"+id); got != fields {
			t.Errorf("the hash of row %s is %q, want %q", id, got, fields)
		}
	}
}

// hash is a hash of database 1, its fields in order.
func hash(redis *rig.Redis, key string) string {
	words := strings.Split(redis.Command("-n", "1", "HGETALL", key), "\n")
	var fields []string
	for pair := range slices.Chunk(words, 2) {
		fields = append(fields, strings.Join(pair, " "))
	}
	slices.Sort(fields)
	return strings.Join(fields, " ")
}

// TestHashesByStrategy: update changes and removes fields, skip keeps what is there, a key that is no hash fails its row; what
// cannot be kept is refused. The Redis of the rows is a cluster.
func TestHashesByStrategy(t *testing.T) {
	t.Parallel()
	redis := cluster(t)
	importer := func(name, more string) string {
		return "importer: " + name + "\nsource: {path: x.csv}\ndestination: {connection: cache, table: t}\nfields:\n" +
			"  - {from: a, to: a}\n  - {from: b, to: b}\n  - {from: c, to: c}\n" + more
	}
	s := rig.NewSystem(t, rig.SystemOptions{
		Env: []string{"INGEST_CONNECTIONS_CACHE_URL=redis+cluster://" + redis.Addr()},
		Importers: map[string]string{
			"update.yaml": importer("update", "key: [a, b]\non_duplicate: update\n"), "skip.yaml": importer("skip", "key: [a, b]\n"),
			"fail.yaml": importer("fail", "key: [a, b]\non_duplicate: fail\n"), "none.yaml": importer("none", ""),
		},
	})
	get := func(key, field string) string { return redis.Command("HGET", key, field) }
	s.Write("x.csv", "a,b,c\n1:2,3,first\n1,2:3,second\n1:2,3,third\n9,,lost\n5%,5,there\n")
	redis.Command("SET", "t:5%25:5", "a string")
	s.Must(3, "run", "update")
	if r := s.Status(1); r.Created != 3 || r.Progress.Failed != 2 {
		t.Errorf("%+v", r)
	}
	for _, message := range []string{"The row has no key.", "The key holds something in Redis that is no hash."} {
		if text := s.Must(0, "errors", "1"); !strings.Contains(text, message) {
			t.Errorf("%q is missing in:\n%s", message, text)
		}
	}
	if get("t:1%3A2:3", "c") != "third" || get("t:1:2%3A3", "c") != "second" || redis.Command("GET", "t:5%25:5") != "a string" {
		t.Errorf("the keys: %s", redis.Command("KEYS", "*"))
	}
	s.Write("x.csv", "a,b,c\n1:2,3,other\n7,7,new\n")
	s.Must(0, "run", "skip")
	if get("t:1%3A2:3", "c") != "third" || get("t:7:7", "c") != "new" {
		t.Errorf("skip: %s, %s", get("t:1%3A2:3", "c"), get("t:7:7", "c"))
	}
	s.Write("x.csv", "a,b,c\n7,7,\n")
	s.Must(0, "run", "update")
	if redis.Command("HEXISTS", "t:7:7", "c") != "0" {
		t.Error("a NULL left the field there")
	}
	for name, reason := range map[string]string{
		"fail": "does not know on_duplicate: fail; it knows skip, update, upsert", "none": "needs a key",
	} {
		if got := s.CLI("run", name); got.Code != 1 || !strings.Contains(got.Stderr, reason) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func compareRows(t *testing.T, want map[string]string, got []string) {
	t.Helper()
	seen := map[string]bool{}
	for _, line := range got {
		var row struct{ ID string }
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if seen[row.ID] {
			t.Fatalf("row %s is there twice", row.ID)
		}
		seen[row.ID] = true
		if line != want[row.ID] {
			t.Fatalf("row %s is\n%s, want\n%s", row.ID, line, want[row.ID])
		}
	}
	if len(seen) != len(want) {
		t.Errorf("%d rows are there, want %d", len(seen), len(want))
	}
}

// names are the names in a directory, none while it is not there.
// names are the files of a directory, without what a worker that was killed left half written: nobody's name begins with a dot.
func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") {
			all = append(all, entry.Name())
		}
	}
	return all
}

func lines(t *testing.T, dir string) (all []string) {
	t.Helper()
	for _, path := range matching(t, dir, "*.ndjson") {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for scan := bufio.NewScanner(file); scan.Scan(); {
			all = append(all, scan.Text())
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func tabled(t *testing.T, dir string) (all [][]string) {
	t.Helper()
	for _, path := range matching(t, dir, "*.csv") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
		if err != nil || strings.Join(rows[0], ",") != "id,n,t,b,gone" {
			t.Fatalf("%s: %v %v", path, rows[0], err)
		}
		all = append(all, rows[1:]...)
	}
	return all
}

func matching(t *testing.T, dir, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no %s in %s: %v", pattern, dir, err)
	}
	return paths
}

// TestDocsNameEveryDestination, and only strategies that it has.
func TestDocsNameEveryDestination(t *testing.T) {
	t.Parallel()
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "destinations.md"))
	if err != nil {
		t.Fatal(err)
	}
	table := strings.Split(string(text), "\n\n")
	table = slices.DeleteFunc(table, func(part string) bool { return !strings.HasPrefix(part, "| URL |") })
	if len(table) != 1 {
		t.Fatalf("docs/destinations.md has %d tables of URLs", len(table))
	}
	for _, d := range outlet.Destinations(time.Now) {
		name, suffix, _ := strings.Cut(d.Name, "+")
		if name == "webhook" {
			name, suffix = d.Name, ""
		}
		lines := slices.DeleteFunc(strings.Split(table[0], "\n"), func(line string) bool {
			return !strings.Contains(line, "`"+name+":") || !strings.Contains(line, suffix)
		})
		if len(lines) != 1 {
			t.Errorf("the table has %d lines for %s", len(lines), d.Name)
			continue
		}
		for _, strategy := range []string{"skip", "update", "upsert", "fail"} {
			if named := strings.Contains(lines[0], "`"+strategy+"`"); named != d.Takes(strategy) {
				t.Errorf("%s: %s is named: %v", d.Name, strategy, named)
			}
		}
	}
}
