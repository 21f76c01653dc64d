package integration

import (
	"fmt"
	"strings"
	"testing"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

const atomicTable = "CREATE TABLE products (sku text UNIQUE, name text, description text, price numeric(10,2), category text, stock integer)"

// wholeRun installs an importer of that many products that are written in one transaction, staged in several partitions.
func wholeRun(t *testing.T, to target, p reference.Products, change func(*reference.Importer), env ...string) installation {
	t.Helper()
	in := install(t, to, rig.RedisOptions{}, p, func(i *reference.Importer) {
		i.Transaction, i.Partitions, i.CreateTable = "run", 4, false
		if change != nil {
			change(i)
		}
	}, env...)
	in.want.url = in.Database()
	for _, setting := range env {
		if url, ok := strings.CutPrefix(setting, warehouse); ok {
			in.want.url = url
		}
	}
	execute(t, in.want.url, atomicTable)
	return in
}

const warehouse = "INGEST_CONNECTIONS_WAREHOUSE_URL="

// ended checks that nothing of a run is left in staging, and its numbers.
func ended(t *testing.T, in installation, id int64) {
	t.Helper()
	if left := rig.Query(t, in.want.url, "SELECT COUNT(*) AS n FROM ingest_staged"); left[0] != "0" {
		t.Errorf("%s chunks are left in staging", left[0])
	}
	verify(t, in.System, id)
}

const mergeBegins = "the merge begins"

// merging waits until the merge of a run stands at a locked table.
func merging(t *testing.T, in installation) {
	t.Helper()
	rig.Until(t, patience, "the merge in flight", func() bool {
		return in.postgres.SQL("ingest", `SELECT count(*) FROM pg_stat_activity
			WHERE application_name LIKE 'ingest %/4' AND wait_event_type = 'Lock'`)[0] != "0"
	})
}

// TestAtomicRunGivesWhatRowByRowGives with several workers, and a dry run of it foretells it.
func TestAtomicRunGivesWhatRowByRowGives(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		in := wholeRun(t, to, reference.Products{Seed: 5, Rows: 20_000, Repeated: 0.3}, nil, slow)
		in.Coordinator()
		for range 3 {
			in.Worker()
		}
		in.Must(0, "run", "products", "--dry-run")
		if rows := in.Dump("products"); len(rows) != 0 {
			t.Fatalf("the dry run wrote %d rows", len(rows))
		}
		dry := in.Status(1)
		ended(t, in, 1)
		r := in.Await(in.Begin("products"), patience)
		in.want.check(t, in.System, r)
		ended(t, in, 2)
		if dry.Created != r.Created || dry.Updated != r.Updated || dry.Unchanged != r.Unchanged {
			t.Errorf("the dry run foretold %+v, it became %+v", dry, r)
		}
	})
}

// TestAtomicRunThatFailsWritesNothing, and its retry takes all of its rows.
func TestAtomicRunThatFailsWritesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		in := wholeRun(t, to, reference.Products{Seed: 5, Rows: 10_000, Repeated: 0.2, Bad: 0.01}, nil)
		in.Exec("INSERT INTO products (sku, name) VALUES ('before', 'kept')")
		in.Coordinator()
		in.Worker()
		before := in.Dump("products")
		in.Must(4, "run", "products", "--dry-run")
		in.Must(4, "run", "products")
		for id := int64(1); id <= 2; id++ {
			r := in.Status(id)
			failed := in.want.result.Failed
			if want := fmt.Sprintf("%d rows failed, and with `transaction: run` nothing is written.", failed); text(r.Reason) != want {
				t.Errorf("run %d failed because %q, want %q", id, text(r.Reason), want)
			}
			if r.Progress.Failed != failed || r.NotProcessed != 10_000-failed || r.Progress.Total != 10_000 {
				t.Errorf("run %d: %+v", id, r)
			}
			in.want.checkErrors(t, in.System, id)
			ended(t, in, id)
		}
		if after := in.Dump("products"); strings.Join(before, "\n") != strings.Join(after, "\n") {
			t.Errorf("the table has changed: %s", firstDifference(before, after))
		}

		const all = "Run #2 wrote nothing (transaction: run): a retry takes all of its rows. With a mended file, start a new run."
		if result := in.CLI("retry", "2", "--error", "The price field is required."); result.Code != 1 || !strings.Contains(result.Stderr, all) {
			t.Errorf("retry --error: exit code %d\n%s", result.Code, result.Stderr)
		}
		mended := in.want.importer
		mended.Rules, mended.Transaction = nil, ""
		in.Write("importers/products.yaml", mended.YAML())
		result := in.CLI("retry", "2")
		if r := in.Status(3); r.Progress.Total != 10_000 || r.Created == 0 {
			t.Errorf("retry: exit code %d, %+v\n%s", result.Code, r, result.Stderr)
		}
		if out := in.Must(0, "status", "3", "--output", "json"); !strings.Contains(out, "Run #2 wrote nothing (transaction: run): all of its rows are retried.") {
			t.Errorf("the retry does not say that it takes all rows:\n%s", out)
		}
		verify(t, in.System, 3)
	})
}

// TestMergeIsKilled: the worker dies in the middle of the merge, another one does it again from its beginning.
func TestMergeIsKilled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		in := wholeRun(t, to, reference.Products{Seed: 7, Rows: 120_000, Repeated: 0.2}, nil)
		coordinator := in.Coordinator()
		release := func() {}
		if to == toPostgres {
			release = lockTable(t, in, "products")
		}
		worker := in.Worker()
		id := in.Begin("products")
		coordinator.AwaitOutput(mergeBegins, patience)
		if to == toPostgres {
			merging(t, in)
		}
		worker.Kill9()
		if r := in.Status(id); r.Terminal() || r.Progress.Processed != 0 {
			t.Fatalf("the merge was over before the worker was killed: %+v", r)
		}
		release()
		if rows := in.Dump("products"); len(rows) != 0 {
			t.Fatalf("%d rows are left of the killed merge", len(rows))
		}
		in.Worker()
		in.want.check(t, in.System, in.Await(id, patience))
		ended(t, in, id)
	})
}

// TestMergeIsCancelled: what it has written is gone, and a retry takes all rows.
func TestMergeIsCancelled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		var change func(*reference.Importer)
		var env []string
		if to == toSQLite {
			// A file of its own: who cancels writes into the registry, and a file has one writer.
			change = func(i *reference.Importer) { i.Connection = "warehouse" }
			env = []string{warehouse + "sqlite:" + t.TempDir() + "/warehouse.db"}
		}
		in := wholeRun(t, to, reference.Products{Seed: 7, Rows: 200_000, Repeated: 0.2}, change, env...)
		coordinator := in.Coordinator()
		release := func() {}
		if to == toPostgres {
			release = lockTable(t, in, "products")
		}
		in.Worker()
		id := in.Begin("products")
		coordinator.AwaitOutput(mergeBegins, patience)
		if to == toPostgres {
			merging(t, in)
		}
		in.Must(0, "cancel", fmt.Sprint(id))
		r := in.Await(id, patience)
		release()
		if rows := rig.Dump(t, in.want.url, "products"); r.Status != "cancelled" || r.NotProcessed != 200_000 || len(rows) != 0 {
			t.Fatalf("%d rows were written by a run that is %s: %+v", len(rows), r.Status, r)
		}
		ended(t, in, id)
		in.Must(0, "retry", fmt.Sprint(id))
		in.want.check(t, in.System, in.Status(id+1))
	})
}

// TestRedisIsEmptiedBeforeTheMerge, while it waits for its turn, and while it is made.
func TestRedisIsEmptiedBeforeTheMerge(t *testing.T) {
	t.Parallel()
	in := wholeRun(t, toPostgres, reference.Products{Seed: 7, Rows: 60_000, Repeated: 0.2}, nil)
	coordinator := in.Coordinator()
	release := lockTable(t, in, "products")
	worker := in.Worker()
	id := in.Begin("products")
	coordinator.AwaitOutput(mergeBegins, patience)
	merging(t, in)
	in.redis.Command("FLUSHALL")
	rig.Until(t, patience, "the merge emitted again", func() bool { return strings.Count(coordinator.Output(), mergeBegins) > 1 })
	worker.Kill9()
	in.redis.Command("FLUSHALL")
	in.Worker()
	release()
	in.want.check(t, in.System, in.Await(id, patience))
	ended(t, in, id)
}

// TestMissingRowsThatOthersReferTo cannot be deleted: the run fails with the reason and writes nothing.
func TestMissingRowsThatOthersReferTo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		in := install(t, to, rig.RedisOptions{}, reference.Products{Seed: 1, Rows: 10}, nil)
		in.want.url = in.Database()
		in.Exec("CREATE TABLE x (a text UNIQUE)")
		in.Exec("CREATE TABLE y (a text, CONSTRAINT y_refers FOREIGN KEY (a) REFERENCES x (a))")
		in.Exec("INSERT INTO x VALUES ('1'), ('2')")
		in.Exec("INSERT INTO y VALUES ('2')")
		in.Write("x.csv", "a\n1\n3\n")
		in.Write("importers/x.yaml", "importer: x\nsource: {path: "+in.Dir+"/x.csv}\ndestination: {table: x}\ntransaction: run\nmissing: delete\nkey: [a]\nfields: [{from: a, to: a}]\n")
		in.Coordinator()
		in.Worker()
		in.Must(4, "run", "x", "--file", in.Dir+"/x.csv")
		want := "Rows that the file no longer has cannot be deleted: other rows refer to them ('y_refers')."
		if to == toSQLite { // which does not say which constraint it was
			want = "Rows that the file no longer has cannot be deleted: other rows refer to them."
		}
		if r := in.Status(1); text(r.Reason) != want || r.NotProcessed != 2 {
			t.Errorf("the run is %s because %q: %+v", r.Status, text(r.Reason), r)
		}
		if rows := in.Dump("x"); len(rows) != 2 {
			t.Errorf("the table has changed: %v", rows)
		}
		ended(t, in, 1)
	})
}

// TestARetryOfSomeRowsTakesNoneForGone: with missing it would.
func TestARetryOfSomeRowsTakesNoneForGone(t *testing.T) {
	t.Parallel()
	sys := trial{file: "a,b\n1,x\ntwo,x\n", more: "rules: {a: integer}\nkey: [a]\n", tables: []string{"CREATE TABLE x (id INTEGER, a TEXT UNIQUE, b TEXT, c TEXT)"}}.install(t)
	sys.Must(3, "run", "x")
	mend(t, sys, "rules: {a: integer}", "transaction: run\nmissing: delete")
	result := sys.CLI("retry", "1")
	if want := "A retry takes only some rows of the file, and `missing` would take the others for gone: start a new run."; result.Code != 1 || !strings.Contains(result.Stderr, want) {
		t.Errorf("exit code %d\n%s", result.Code, result.Stderr)
	}
	sys.Must(0, "run", "x")
}

// TestWhatIsKeptOfAWholeRun: rows that took effect are kept with log_rows all, once, and what became of a row is told from
// the merge.
func TestWhatIsKeptOfAWholeRun(t *testing.T) {
	t.Parallel()
	for what, want := range map[string][2]string{
		"failed": {"", "3 failed 3"}, "all": {"1 successful 1,2 successful skip,3 successful 3,4 successful 4", "3 failed 3"}, "none": {"", "3 failed "},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			sys := trial{
				file: "a,b\n1,x\nskip,x\n3,x\n4,x\n", more: "transaction: run\npartitions: 2\nchunk_size: 1\nskip_when: 'row.a == \"skip\"'\n",
				tables: []string{"CREATE TABLE x (a TEXT UNIQUE, b TEXT, c TEXT)"}, env: []string{"INGEST_LOG_ROWS=" + what},
			}.install(t)
			kept := func(id int64) string {
				var rows []string
				for _, row := range keptRows(t, sys, id) {
					rows = append(rows, fmt.Sprintf("%d %s %s", row.Number, row.Status, row.Data["a"]))
				}
				return strings.Join(rows, ",")
			}
			statuses := func(id int64) string {
				var all []string
				for row := range 4 {
					var body struct{ Data struct{ Status string } }
					decode(t, sys.Must(0, "explain", fmt.Sprint(id), "--row", fmt.Sprint(row+1), "--output", "json"), &body)
					all = append(all, body.Data.Status)
				}
				return strings.Join(all, " ")
			}
			sys.Must(0, "run", "x")
			if got := kept(1); got != want[0] {
				t.Errorf("kept are %q, want %q", got, want[0])
			}
			if got := statuses(1); got != "created skipped created created" {
				t.Errorf("the rows are %q", got)
			}
			execute(t, sys.Database(), "DELETE FROM x", "INSERT INTO x (a) VALUES ('3')")
			sys.Must(4, "run", "x")
			if got := kept(2); !strings.HasSuffix(got, want[1]) {
				t.Errorf("kept are %q, want %q", got, want[1])
			}
			if got := statuses(2); got != "not_processed skipped failed not_processed" {
				t.Errorf("the rows of the failed run are %q", got)
			}
			for id := range int64(2) {
				verify(t, sys, id+1)
			}
		})
	}
}
