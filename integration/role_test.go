package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ingest/integration/rig"
	"ingest/shared/database"
)

const roleImporter = `importer: %[1]s
source: {path: %[1]s.csv}
destination: {table: shop.%[2]s%[3]s}
key: [n]
on_duplicate: update
partitions: 1
fields:
  - {from: n, to: n}
  - {from: name, to: name}
`

// grants are the documented statements that begin with these words.
func grants(t *testing.T, begin string) string {
	t.Helper()
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "operation.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```sql\n(" + begin + ".*?)```").FindSubmatch(page)
	if found == nil {
		t.Fatalf("docs/operation.md has no statements that begin with %s", begin)
	}
	return string(found[1])
}

// leastPrivileged is a database whose roles are those of the documentation, and an installation that works with the lesser one.
func leastPrivileged(t *testing.T) (*rig.Postgres, *rig.System) {
	t.Helper()
	granted := grants(t, "CREATE ROLE")
	server := rig.StartPostgres(t)
	server.Database("app")
	server.SQL("app", "REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE SCHEMA shop;"+
		"CREATE TABLE shop.products (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n integer NOT NULL UNIQUE, name text CHECK (name <> 'bad'));"+
		"CREATE TABLE shop.others (n integer); CREATE TABLE shop.secrets (n integer UNIQUE, name text)")
	server.SQL("app", granted)
	server.SQL("app", "GRANT SELECT, INSERT, UPDATE ON shop.others TO ingest_app; ALTER TABLE shop.others ADD COLUMN name text")
	as := func(role string) string { return strings.Replace(server.URL("app"), "//ingest@", "//"+role+"@", 1) }
	s := rig.NewSystem(t, rig.SystemOptions{
		RedisURL: rig.StartRedis(t, rig.RedisOptions{}).URL(), Database: as("ingest_app"),
		Env: []string{"INGEST_CONNECTIONS_DEFAULT_LEDGER_SCHEMA=ingest", "INGEST_CHUNK_SIZE=10"},
		Importers: map[string]string{
			"products.yaml": fmt.Sprintf(roleImporter, "products", "products", ""),
			"others.yaml":   fmt.Sprintf(roleImporter, "others", "others", ", unique_index: false"),
			"secrets.yaml":  fmt.Sprintf(roleImporter, "secrets", "secrets", ""),
			"made.yaml":     fmt.Sprintf(roleImporter, "made", "made", ", create_table: true"),
		},
	})
	for _, name := range []string{"products", "others", "secrets", "made"} {
		s.Write(name+".csv", counted(0, 300))
	}
	if said := s.CLI("run", "products", "--detach"); said.Code != 1 || !strings.Contains(said.Stderr, "run `ingest migrate`") {
		t.Errorf("before the tables are made: %+v", said)
	}
	if said := s.CLI("migrate"); said.Code != 1 {
		t.Errorf("the lesser role made the tables: %+v", said)
	}
	rig.NewSystem(t, rig.SystemOptions{Database: as("ingest_owner"), Env: []string{"INGEST_CONNECTIONS_DEFAULT_LEDGER_SCHEMA=ingest"}}).Migrate()
	return server, s
}

// endsOf returns what waits for the end of a run and compares its numbers.
func endsOf(t *testing.T, s *rig.System) func(id int64, status string, created, updated, failed int64) {
	t.Helper()
	return func(id int64, status string, created, updated, failed int64) {
		t.Helper()
		if r := s.Await(id, patience); r.Status != status || r.Created != created || r.Updated != updated || r.Progress.Failed != failed {
			t.Errorf("run %d: %+v", id, r)
		}
	}
}

// TestTheDocumentedRoleIsEnough for all that a run can need, and for nothing beside.
func TestTheDocumentedRoleIsEnough(t *testing.T) {
	t.Parallel()
	server, s := leastPrivileged(t)
	s.Coordinator()
	stuck := s.Worker()
	ends := endsOf(t, s)
	ends(s.Begin("products", "--dry-run"), "completed", 300, 0, 0)
	ends(s.Begin("products"), "completed", 300, 0, 0)
	ends(s.Begin("others"), "completed", 300, 0, 0)
	s.Write("products.csv", strings.ReplaceAll(counted(0, 310), "name 1\n", "bad\n"))
	failing := s.Begin("products")
	ends(failing, "completed_with_errors", 10, 0, 1)
	server.SQL("app", "ALTER TABLE shop.products DROP CONSTRAINT products_name_check")
	ends(s.BeginWith("retry", fmt.Sprint(failing), "--detach"), "completed", 0, 1, 0)
	denied := strings.Count(server.Output(), "permission denied")

	// A worker that is paused in its transaction: another one ends its session and goes on.
	locker, err := database.Open(database.Config{Name: "locker", URL: server.URL("app")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = locker.Close() }()
	lock := func() *database.Tx { return holding(t, locker, "LOCK TABLE shop.products IN SHARE MODE") }
	waits := func() {
		t.Helper()
		rig.Until(t, patience, "a chunk waiting for the table", func() bool {
			return server.SQL("app", "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name LIKE 'ingest %/%' AND wait_event_type = 'Lock'")[0] != "0"
		})
	}
	tx := lock()
	s.Write("products.csv", counted(1000, 300))
	taken := s.Begin("products")
	waits()
	stuck.Stop()
	s.Worker()
	rig.Until(t, patience, "the end of the former worker's session", func() bool {
		return strings.Contains(server.Output(), "terminating connection due to administrator command")
	})
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	ends(taken, "completed", 300, 0, 0)
	stuck.Cont()

	// A cancel ends the session of a chunk that keeps its head.
	tx = lock()
	s.Write("products.csv", counted(2000, 300))
	cancelled := s.Begin("products")
	waits()
	s.Must(0, "cancel", fmt.Sprint(cancelled), "--wait")
	ends(cancelled, "cancelled", 0, 0, 0)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if now := strings.Count(server.Output(), "permission denied"); now != denied {
		t.Errorf("%d statements were refused", now-denied)
	}

	// No more than that.
	for importer, why := range map[string]string{"secrets": "permission denied for table secrets", "made": "permission denied for schema shop"} {
		r := s.Await(s.Begin(importer), patience)
		if r.Status != "failed" || r.Reason == nil || !strings.Contains(*r.Reason, why) {
			t.Errorf("%s: %s because %v, want %q", importer, r.Status, text(r.Reason), why)
		}
	}
}

// TestTheDocumentedRightsOnRelatedTablesAreEnough to create related rows, and to take away those of a row that fails.
func TestTheDocumentedRightsOnRelatedTablesAreEnough(t *testing.T) {
	t.Parallel()
	importer := map[string]string{"things.yaml": "importer: things\nsource: {path: x.csv}\ndestination: {table: shop.products}\nkey: n\non_duplicate: update\n" +
		"fields: [{from: n, to: n}]\nrelations:\n  - {from: kind, to: kind_id, table: shop.kinds, match: name, create_if_missing: true}\n"}
	const kinds, things = "(id bigint %s PRIMARY KEY, name varchar(50) UNIQUE)", "(id bigint %s PRIMARY KEY, n integer UNIQUE CHECK (n <> 5), kind_id bigint)"
	const rights = "GRANT SELECT, INSERT, DELETE ON shop.kinds TO ingest_app"
	postgres, mariadb := rig.StartPostgres(t), rig.StartMariaDB(t)
	postgres.Database("app")
	identity := "GENERATED ALWAYS AS IDENTITY"
	postgres.SQL("app", "CREATE SCHEMA shop; CREATE TABLE shop.kinds "+fmt.Sprintf(kinds, identity)+"; CREATE TABLE shop.products "+fmt.Sprintf(things, identity))
	postgres.SQL("app", grants(t, "CREATE ROLE")+rights)
	mariadb.Database("shop")
	mariadb.SQL("shop", "CREATE TABLE kinds "+fmt.Sprintf(kinds, "AUTO_INCREMENT")+"; CREATE TABLE products "+fmt.Sprintf(things, "AUTO_INCREMENT"))
	mariadb.SQL("", grants(t, "CREATE DATABASE")+rights)
	for owner, app := range map[string]string{
		strings.Replace(postgres.URL("app"), "//ingest@", "//ingest_owner@", 1): strings.Replace(postgres.URL("app"), "//ingest@", "//ingest_app@", 1),
		strings.Replace(mariadb.URL("ingest"), "//root@", "//ingest_owner@", 1): strings.Replace(mariadb.URL("shop"), "//root@", "//ingest_app@", 1),
	} {
		env := []string{"INGEST_CONNECTIONS_DEFAULT_LEDGER_SCHEMA=ingest"}
		rig.NewSystem(t, rig.SystemOptions{Database: owner, Env: env}).Migrate()
		s := rig.NewSystem(t, rig.SystemOptions{Database: app, Env: env, Importers: importer})
		s.Write("x.csv", "n,kind\n4,four\n5,five\n6,six\n")
		if said := s.Must(3, "run", "things"); !strings.Contains(said, "created 2") {
			t.Errorf("%s", said)
		}
	}
	for _, got := range [][]string{postgres.SQL("app", "SELECT name FROM shop.kinds ORDER BY name"), mariadb.SQL("shop", "SELECT name FROM kinds ORDER BY name")} {
		if strings.Join(got, ",") != "four,six" {
			t.Errorf("related rows: %v", got)
		}
	}
}

// TestTheDocumentedUserOfMariaDBIsEnough for what a run can need, also to end sessions, and for nothing beside.
func TestTheDocumentedUserOfMariaDBIsEnough(t *testing.T) {
	t.Parallel()
	server := rig.StartMariaDB(t)
	server.Database("shop")
	server.SQL("shop", "CREATE TABLE products (id bigint AUTO_INCREMENT PRIMARY KEY, n integer NOT NULL UNIQUE, name varchar(99) CHECK (name <> 'bad'));"+
		"CREATE TABLE secrets (n integer UNIQUE, name varchar(99))")
	server.SQL("", grants(t, "CREATE DATABASE"))
	as := func(user, database string) string {
		return strings.Replace(server.URL(database), "//root@", "//"+user+"@", 1)
	}
	schema := "INGEST_CONNECTIONS_DEFAULT_LEDGER_SCHEMA=ingest"
	s := rig.NewSystem(t, rig.SystemOptions{
		RedisURL: rig.StartRedis(t, rig.RedisOptions{}).URL(), Database: as("ingest_app", "shop"), Env: []string{schema, "INGEST_CHUNK_SIZE=10"},
		Importers: map[string]string{
			"products.yaml": fmt.Sprintf(roleImporter, "products", "products", ""),
			"secrets.yaml":  fmt.Sprintf(roleImporter, "secrets", "secrets", ""),
			"made.yaml":     fmt.Sprintf(roleImporter, "made", "made", ", create_table: true"),
		},
	})
	for _, name := range []string{"products", "secrets", "made"} {
		s.Write(name+".csv", counted(0, 300))
	}
	if said := s.CLI("migrate"); said.Code != 1 {
		t.Errorf("the lesser user made the tables: %+v", said)
	}
	rig.NewSystem(t, rig.SystemOptions{Database: as("ingest_owner", "ingest"), Env: []string{schema}}).Migrate()
	s.Coordinator()
	stuck := s.Worker()
	ends := endsOf(t, s)
	ends(s.Begin("products", "--dry-run"), "completed", 300, 0, 0)
	ends(s.Begin("products"), "completed", 300, 0, 0)
	s.Write("products.csv", strings.ReplaceAll(counted(0, 310), "name 1\n", "bad\n"))
	failing := s.Begin("products")
	ends(failing, "completed_with_errors", 10, 0, 1)
	server.SQL("shop", "ALTER TABLE products MODIFY name varchar(99)")
	ends(s.BeginWith("retry", fmt.Sprint(failing), "--detach"), "completed", 0, 1, 0)

	// Chunks wait for a row of somebody else: the session of a paused worker is ended, and so is that of a cancelled run.
	locker, err := database.Open(database.Config{Name: "locker", URL: server.URL("shop")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = locker.Close() }()
	lock := func() *database.Tx { return holding(t, locker, "UPDATE products SET name = 'held' WHERE n = 5") }
	waiting := func() string {
		return strings.Join(server.SQL("", "SELECT trx_mysql_thread_id FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'"), ",")
	}
	waits := func() {
		t.Helper()
		rig.Until(t, patience, "a chunk waiting for the row", func() bool { return waiting() != "" })
	}
	tx := lock()
	s.Write("products.csv", strings.ReplaceAll(counted(0, 300), "name ", "other "))
	taken := s.Begin("products")
	waits()
	before := waiting()
	stuck.Stop()
	s.Worker()
	rig.Until(t, patience, "another session in the place of the former worker's", func() bool {
		now := waiting()
		return now != "" && now != before
	})
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	ends(taken, "completed", 0, 300, 0)
	stuck.Cont()

	tx = lock()
	s.Write("products.csv", counted(0, 300))
	cancelled := s.Begin("products")
	waits()
	s.Must(0, "cancel", fmt.Sprint(cancelled), "--wait")
	ends(cancelled, "cancelled", 0, 0, 0)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}

	for importer, why := range map[string]string{"secrets": "secrets' does not exist in connection", "made": "CREATE command denied"} {
		r := s.Await(s.Begin(importer), patience)
		if r.Status != "failed" || r.Reason == nil || !strings.Contains(*r.Reason, why) {
			t.Errorf("%s: %s because %v, want %q", importer, r.Status, text(r.Reason), why)
		}
	}

	// Who may make tables but not remove them: the dry run ends all the same, and says what it left behind.
	server.SQL("", "CREATE USER maker; GRANT SELECT, INSERT, UPDATE, DELETE ON ingest.* TO maker; GRANT CREATE, SELECT, INSERT, UPDATE, DELETE ON shop.* TO maker")
	maker := rig.NewSystem(t, rig.SystemOptions{
		Database: as("maker", "shop"), Env: []string{schema},
		Importers: map[string]string{"made.yaml": fmt.Sprintf(roleImporter, "made", "made", ", create_table: true")},
	})
	maker.Write("made.csv", counted(0, 300))
	if said := maker.Must(0, "run", "made", "--dry-run"); !strings.Contains(said, "created 300") || !strings.Contains(said, "could not be removed") {
		t.Errorf("a table of the dry run is left, and it says\n%s", said)
	}
}

// holding begins a transaction that holds what a statement has locked.
func holding(t *testing.T, db *database.DB, statement string) *database.Tx {
	t.Helper()
	tx, err := db.Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(context.WithoutCancel(t.Context()), statement)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tx
}
