package integration

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// frozen fails the test when the table of a run that has ended changes, and checks the run's numbers.
func frozen(t *testing.T, in installation, r rig.Run) {
	t.Helper()
	before := in.Dump("products")
	if r.Progress.Total != r.Progress.Processed+r.NotProcessed {
		t.Errorf("total %d is not %d processed + %d not processed", r.Progress.Total, r.Progress.Processed, r.NotProcessed)
	}
	if sum := r.Created + r.Updated + r.Unchanged + r.Skipped + r.Progress.Failed; sum != r.Progress.Processed {
		t.Errorf("the outcomes sum to %d, processed is %d", sum, r.Progress.Processed)
	}
	verify(t, in.System, r.ID)
	wait(t, 3*time.Second)
	if after := in.Dump("products"); !slices.Equal(before, after) {
		t.Errorf("the table changed after the run was %s: %s", r.Status, firstDifference(before, after))
	}
}

func TestCancelDuringALongRun(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		in := install(t, to, rig.RedisOptions{}, big(60_000), func(i *reference.Importer) { i.RowsPerSecond = 15_000 }, slow)
		in.Coordinator()
		in.Worker()
		in.Worker()
		id := in.Begin("products")
		rig.Until(t, patience, "progress", func() bool { return in.Status(id).Progress.Processed > 2_000 })
		out := in.Must(0, "cancel", fmt.Sprint(id))
		if want := fmt.Sprintf("Cancellation request sent for ingest run #%d.", id); !strings.Contains(out, want) {
			t.Errorf("cancel says %q, want %q", out, want)
		}
		r := in.Await(id, patience)
		if r.Status != "cancelled" || r.NotProcessed == 0 {
			t.Fatalf("the run is %s with %d rows not processed", r.Status, r.NotProcessed)
		}
		frozen(t, in, r)
		if out := in.Must(0, "cancel", fmt.Sprint(id)); !strings.Contains(out, fmt.Sprintf("Ingest run #%d has already finished.", id)) {
			t.Errorf("a second cancel says %q", out)
		}

		// What it left is taken up by a retry: then everything is there.
		if result := in.CLI("retry", fmt.Sprint(id), "--unprocessed", "--output", "json"); result.Code != 3 {
			t.Fatalf("retry --unprocessed: exit code %d\n%s", result.Code, result.Stderr)
		}
		in.want.checkTable(t, in.System)
		verify(t, in.System, id+1)
	})
}

// TestAWaitedForRunIsCancelled: the command that waits for it ends with exit code 5, and says so plainly, in quiet mode
// in one line.
func TestAWaitedForRunIsCancelled(t *testing.T) {
	t.Parallel()
	in := install(t, toSQLite, rig.RedisOptions{}, big(50_000), throttled, slow)
	in.Coordinator()
	in.Worker()
	for i, quiet := range []bool{false, true} {
		id := int64(i + 1)
		args := []string{"run", "products"}
		if quiet {
			args = append(args, "--quiet")
		}
		waiting := in.Start(args...)
		rig.Until(t, patience, "progress", func() bool {
			result := in.CLI("status", fmt.Sprint(id), "--output", "json")
			return result.Code == 0 && in.Status(id).Progress.Processed > 0
		})
		in.Must(0, "cancel", fmt.Sprint(id))
		if code := waiting.Wait(patience); code != 5 {
			t.Errorf("exit code %d\n%s", code, waiting.Output())
		}
		out := waiting.Output()
		if strings.ContainsAny(out, "\x1b█░") || !strings.Contains(out, "cancelled") {
			t.Errorf("it says %q", out)
		}
		if want := fmt.Sprintf("Ingest run #%d was cancelled.\n", id); quiet && out != want {
			t.Errorf("in quiet mode it says %q, want %q", out, want)
		}
	}
}

// TestBytesReadOfAStoppedRun: a run that is stopped in the middle of its split has not read its whole source.
func TestBytesReadOfAStoppedRun(t *testing.T) {
	t.Parallel()
	in := install(t, toSQLite, rig.RedisOptions{}, big(50_000), throttled, slow, "INGEST_IN_FLIGHT=1MiB")
	in.Coordinator()
	in.Worker()
	id := in.Begin("products")
	rig.Until(t, patience, "progress", func() bool { return in.Status(id).BytesRead > 0 })
	if r := in.Status(id); r.TotalFinal {
		t.Fatal("the split was too short to prove anything")
	}
	in.Must(0, "cancel", fmt.Sprint(id), "--wait")
	if r := in.Status(id); r.BytesRead <= 0 || r.BytesRead >= r.BytesTotal {
		t.Errorf("%d of %d bytes were read, %d rows were not processed", r.BytesRead, r.BytesTotal, r.NotProcessed)
	}
}

func TestRunsThatFail(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		for _, test := range []struct {
			name   string
			reason string
			change func(*reference.Importer)
			// during happens while the run is processing.
			during func(t *testing.T, in installation)
			env    []string
		}{
			{
				name: "missing table", reason: "The table 'products' does not exist",
				change: func(i *reference.Importer) { i.CreateTable = false },
			},
			{
				name: "max_failed_rows", reason: "More than 100 rows failed (max_failed_rows).",
				env: []string{"INGEST_MAX_FAILED_ROWS=100"},
			},
			{
				name: "source deleted", reason: "is gone",
				env: []string{"INGEST_IN_FLIGHT=1MiB"}, change: throttled,
				during: func(t *testing.T, in installation) {
					if err := os.Remove(in.want.importer.Path); err != nil {
						t.Fatal(err)
					}
				},
			},
			{
				name: "source changed", reason: "has changed",
				env: []string{"INGEST_IN_FLIGHT=1MiB"}, change: throttled,
				during: func(t *testing.T, in installation) {
					file, err := os.OpenFile(in.want.importer.Path, os.O_APPEND|os.O_WRONLY, 0)
					if err != nil {
						t.Fatal(err)
					}
					if _, err := file.WriteString("x"); err != nil {
						t.Fatal(err)
					}
					if err := file.Close(); err != nil {
						t.Fatal(err)
					}
				},
			},
		} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				in := install(t, to, rig.RedisOptions{}, big(50_000), test.change, append(test.env, slow)...)
				in.Coordinator()
				in.Worker()
				id := in.Begin("products")
				if test.during != nil {
					rig.Until(t, patience, "progress", func() bool { return in.Status(id).Progress.Processed > 1_000 })
					test.during(t, in)
				}
				r := in.Await(id, patience)
				if r.Status != "failed" || !strings.Contains(text(r.Reason), test.reason) {
					t.Fatalf("the run is %s because %q, want failed because %q", r.Status, text(r.Reason), test.reason)
				}
				if test.name != "missing table" {
					frozen(t, in, r)
					return
				}
				// It fences alike: nothing is written when the table is made afterwards.
				in.Exec("CREATE TABLE products (sku text UNIQUE, name text, description text, price numeric, category text, stock integer)")
				frozen(t, in, r)
				if rows := in.Dump("products"); len(rows) != 0 || r.Progress.Processed != 0 {
					t.Errorf("%d rows were written, %d processed", len(rows), r.Progress.Processed)
				}
			})
		}
	})
}

func TestAQuoteThatIsNeverClosedFailsTheRun(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		in := install(t, to, rig.RedisOptions{}, reference.Products{Seed: 1, Rows: 5000}, nil)
		file, err := os.OpenFile(in.want.importer.Path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteString("SKU-x,\"never closed,1,2,3\nmore\n"); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		in.Coordinator()
		in.Worker()
		result := in.CLI("run", "products")
		if result.Code != 4 {
			t.Fatalf("exit code %d\n%s%s", result.Code, result.Stdout, result.Stderr)
		}
		r := in.Status(1)
		if want := "line 5002: a quoted field that is never closed"; text(r.Reason) != want {
			t.Fatalf("the reason is %q, want %q", text(r.Reason), want)
		}
		if r.Progress.Total != 5000 {
			t.Errorf("the total is %d, but 5000 rows were read", r.Progress.Total)
		}
		frozen(t, in, r)
	})
}

// TestTableIsDroppedWhileItIsWritten is the fatal error of a worker: it ends the run, not its rows.
func TestTableIsDroppedWhileItIsWritten(t *testing.T) {
	t.Parallel()
	in := install(t, toPostgres, rig.RedisOptions{}, big(60_000), throttled, slow)
	in.Coordinator()
	in.Worker()
	id := in.Begin("products")
	rig.Until(t, patience, "progress", func() bool { return in.Status(id).Progress.Processed > 1_000 })
	in.postgres.SQL("ingest", "DROP TABLE products")
	r := in.Await(id, patience)
	if r.Status != "failed" || r.Reason == nil || r.Progress.Total != r.Progress.Processed+r.NotProcessed {
		t.Fatalf("the run is %s because %q: %+v", r.Status, text(r.Reason), r)
	}
	verify(t, in.System, id)
}
