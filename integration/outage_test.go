package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ingest/integration/reference"
	"ingest/integration/rig"
	"ingest/shared/database"
)

// TestTheDatabaseCrashesAgainAndAgain: the server that holds registry, ledger and tables is killed in the middle of a run,
// several times.
func TestTheDatabaseCrashesAgainAndAgain(t *testing.T) {
	t.Parallel()
	crashes, rows := 3, 40_000
	if fullMatrix() {
		crashes, rows = 10, 200_000
	}
	on(t, servers(), func(t *testing.T, to target) {
		in := install(t, to, rig.RedisOptions{}, big(rows), func(i *reference.Importer) { i.Partitions = 3 }, slow)
		in.Coordinator()
		in.Worker()
		id := in.Begin("products")
		for range crashes {
			before := in.Status(id).Progress.Processed
			rig.Until(t, patience, "progress", func() bool { return in.Status(id).Progress.Processed > before+500 })
			if to == toMariaDB {
				in.mariadb.Restart()
			} else {
				in.postgres.Restart()
			}
		}
		if in.Status(id).Terminal() {
			t.Fatal("the run was too short to prove anything")
		}
		in.proven(t, id)
	})
}

// apartFromRegistry makes an installation whose registry is in SQLite and whose destination is a database of its own, which
// can be put back to an earlier state: as a server that lost what it had promised to keep.
func apartFromRegistry(t *testing.T, to target) (in installation, save func() (restore func())) {
	t.Helper()
	url := "sqlite:" + filepath.Join(t.TempDir(), "warehouse", "ingest.db")
	var server *rig.Postgres
	if to == toPostgres {
		server = rig.StartPostgres(t)
		url = server.Database("warehouse")
	}
	in = install(t, toSQLite, rig.RedisOptions{}, reference.Products{Seed: 7, Rows: 20_000, Repeated: 0.2, Bad: 0.02},
		func(i *reference.Importer) { i.Connection, i.Partitions = "warehouse", 3 }, "INGEST_CONNECTIONS_WAREHOUSE_URL="+url, slow)
	in.want.url = url
	if to == toPostgres {
		return in, func() func() {
			saved := server.Save()
			return func() { server.RestartFrom(saved) }
		}
	}
	dir := filepath.Dir(strings.TrimPrefix(url, "sqlite:"))
	return in, func() func() {
		saved := filepath.Join(t.TempDir(), "saved")
		replace(t, dir, saved)
		return func() { replace(t, saved, dir) }
	}
}

// replace makes a directory a copy of another.
func replace(t *testing.T, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// plainProducts is the table that the products importer would make.
const plainProducts = `CREATE TABLE products (sku VARCHAR(40) PRIMARY KEY, name TEXT, description TEXT, price DECIMAL(10, 2),
	category TEXT, stock INTEGER)`

// TestTheDatabaseLosesCommits that it had confirmed, which Redis therefore holds for done: chunks, the seals, or everything
// since the run began. It is noticed and done again.
func TestTheDatabaseLosesCommits(t *testing.T) {
	t.Parallel()
	on(t, []target{toSQLite, toPostgres}, func(t *testing.T, to target) {
		in, save := apartFromRegistry(t, to)
		in.System = in.With(rig.Failing(t))
		// Nobody may have an SQLite file open that is replaced: the processes die with their machine. Until the last crash the
		// worker stops by itself behind some chunks: no machine is so fast that the run ends before.
		var processes []*rig.Process
		crash := func(what func()) {
			for _, p := range processes {
				p.Kill9()
			}
			what()
			processes = []*rig.Process{in.Coordinator(), in.at("worker", "worker.committed", 60, "sigstop")}
		}
		// A table that was lost would end the run with that reason.
		execute(t, in.want.url, plainProducts)
		in.Coordinator().Kill9()
		coordinator := in.at("coordinator", "split.emitted", 1, "sigstop")
		rig.Until(t, patience, "the coordinator announcing itself", func() bool {
			return strings.Contains(in.CLI("workers", "--output", "yaml").Stdout, fmt.Sprintf("pid: %d", coordinator.PID()))
		})
		before := save()
		id := in.Begin("products")
		coordinator.AwaitOutput("failpoint", patience)
		unsealed := save()
		coordinator.Cont()
		rig.Until(t, patience, "the split", func() bool { return in.Status(id).TotalFinal })
		coordinator.Kill9()
		crash(unsealed) // the seals, and nothing else
		progress := func(rows int64) {
			rig.Until(t, patience, "progress", func() bool { r := in.Status(id); return r.Progress.Processed > rows || r.Terminal() })
		}
		progress(1000)
		crash(before) // everything
		progress(1000)
		var chunks func()
		crash(func() { chunks = save() })
		progress(in.Status(id).Progress.Processed + 2000)
		crash(chunks)
		if in.Status(id).Terminal() {
			t.Fatal("the run was too short to prove anything")
		}
		processes[1].Kill9()
		in.Worker()
		in.proven(t, id)
	})
}

// TestDeadlocksFailNoRow: another session holds rows that a chunk needs and wants those that the chunk has. The chunk is the
// one that is rolled back, and tried again.
func TestDeadlocksFailNoRow(t *testing.T) {
	t.Parallel()
	in := install(t, toPostgres, rig.RedisOptions{}, reference.Products{Seed: 7, Rows: 1000}, nil)
	in.Coordinator()
	worker := in.Worker()
	in.proven(t, in.Begin("products"))
	// So that every row is written again.
	in.Exec("UPDATE products SET name = 'other'")
	other, err := database.Open(database.Config{Name: "other", URL: in.Database()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	})
	tx, err := other.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		// The server looks for deadlocks on behalf of who has waited long: never of this one.
		"SET LOCAL deadlock_timeout = '10min'", "SELECT 1 FROM products WHERE id = (SELECT id FROM products ORDER BY id OFFSET 500 LIMIT 1) FOR UPDATE",
	} {
		if _, err := tx.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	id := in.Begin("products")
	rig.Until(t, patience, "the chunk waiting for the row", func() bool {
		return in.postgres.SQL("ingest", `SELECT count(*) FROM pg_stat_activity
			WHERE application_name LIKE 'ingest %/%' AND wait_event_type = 'Lock'`)[0] != "0"
	})
	if _, err := tx.Exec(t.Context(), "SELECT 1 FROM products FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	r := in.Await(id, patience)
	if r.Status != "completed" || r.Updated != 1000 {
		t.Errorf("%+v", r)
	}
	in.Check(id)
	verify(t, in.System, id)
	in.want.checkTable(t, in.System)
	if log := worker.Output(); !strings.Contains(log, "chunk is tried again") || !strings.Contains(log, "(40P01)") {
		t.Errorf("there was no deadlock:\n%s", log)
	}
}

// TestASlowRowFailsAlone: the database ends a row's statement for its length each time, the others of its chunk take effect.
func TestASlowRowFailsAlone(t *testing.T) {
	t.Parallel()
	in := install(t, toPostgres, rig.RedisOptions{}, reference.Products{Seed: 7, Rows: 200}, nil, "INGEST_CHUNK_SIZE=100")
	in.Exec(plainProducts)
	in.Exec(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
		$$BEGIN RAISE EXCEPTION 'canceling statement due to statement timeout' USING ERRCODE = '57014'; END$$`)
	in.Exec("CREATE TRIGGER slow BEFORE INSERT ON products FOR EACH ROW WHEN (NEW.sku = '" + skuOf(t, in, 150) + "') EXECUTE FUNCTION slow()")
	in.Coordinator()
	worker := in.Worker()
	r := in.Await(in.Begin("products"), patience)
	if r.Status != "completed_with_errors" || r.Created != 199 || r.Progress.Failed != 1 {
		t.Fatalf("%+v", r)
	}
	numbers, messages := failedRows(t, in.System, r.ID)
	if numbers[0] != 150 || messages[0] != "The database did not finish the row in time (57014)." {
		t.Errorf("the failed rows are %v: %v", numbers, messages)
	}
	in.Check(r.ID)
	if log := worker.Output(); strings.Count(log, "chunk is tried again") != 2 {
		t.Errorf("the log:\n%s", log)
	}
}

// skuOf is the SKU of a row of the products file.
func skuOf(t *testing.T, in installation, row int) string {
	t.Helper()
	text, err := os.ReadFile(in.want.importer.Path)
	if err != nil {
		t.Fatal(err)
	}
	sku, _, _ := strings.Cut(strings.Split(string(text), "\n")[row], ",")
	return sku
}

// TestLocksThatLastFailNoRow: another session keeps a lock longer than a chunk may wait for one. The run waits, says so, and
// goes on when it is let go.
func TestLocksThatLastFailNoRow(t *testing.T) {
	t.Parallel()
	reasons := map[target]string{toSQLite: "The database is busy: another transaction is in the way (5)."}
	if fullMatrix() {
		reasons[toPostgres] = "The database did not answer in time (55P03)."
	}
	for to, reason := range reasons {
		t.Run(string(to), func(t *testing.T) {
			t.Parallel()
			in := install(t, to, rig.RedisOptions{}, big(20_000), nil, slow)
			in.Coordinator()
			in.Worker()
			id := in.Begin("products")
			rig.Until(t, patience, "progress", func() bool { return in.Status(id).Progress.Processed > 500 })
			release := lockTable(t, in, "products")
			in.waits(t, id, "Waiting: the database of connection 'default' cannot be used ("+reason+") since ")
			release()
			in.proven(t, id)
		})
	}
}
