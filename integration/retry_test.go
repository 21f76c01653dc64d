package integration

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"ingest/integration/reference"
	"ingest/integration/rig"
	"ingest/shared/lifecycle"
)

// TestRetryAfterMendingARule imports exactly the failed rows, with their numbers; a dry run before changes nothing.
func TestRetryAfterMendingARule(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		in := install(t, to, rig.RedisOptions{}, reference.Products{Seed: 3, Rows: 3000, Bad: 0.05}, nil)
		in.Coordinator()
		in.Worker()
		in.want.check(t, in.System, in.Await(in.Begin("products"), patience))
		numbers, _ := failedRows(t, in.System, 1)
		before := in.Dump("products")

		// Nothing is mended: the dry run reports that the same rows would fail, and changes nothing.
		in.Must(3, "retry", "1", "--dry-run")
		dry, _ := failedRows(t, in.System, 2)
		if !slices.Equal(numbers, dry) || !slices.Equal(before, in.Dump("products")) {
			t.Fatalf("the dry run failed %d rows instead of %d, or changed the table", len(dry), len(numbers))
		}
		if r := in.Status(1); r.RetriedBy != nil {
			t.Fatalf("the dry run counts as retry #%d", *r.RetriedBy)
		}

		mended := in.want.importer
		mended.Rules = []reference.Rule{{Column: "SKU", Rules: "required"}}
		for i := range mended.Fields {
			mended.Fields[i].Type = "text"
		}
		in.Write("importers/products.yaml", mended.YAML())
		result := in.CLI("retry", "1", "--error", "The price field is required. (and 1 more error)")
		if result.Code != 0 && result.Code != 3 {
			t.Fatalf("retry --error: exit code %d\n%s", result.Code, result.Stderr)
		}
		some := in.Status(3)
		if want := in.want.result.Errors["The price field is required. (and 1 more error)"]; some.Progress.Total != want {
			t.Fatalf("retry --error took %d rows, want %d", some.Progress.Total, want)
		}
		refused := in.CLI("retry", "1")
		if refused.Code != 1 || !strings.Contains(refused.Stderr, "Run #1 was already retried as run #3. That took the rows with one message only") {
			t.Fatalf("a second retry: exit code %d\n%s", refused.Code, refused.Stderr)
		}
		in.CLI("retry", "1", "--force")
		if all := in.Status(4); all.Progress.Total != int64(len(numbers)) {
			t.Fatalf("retry --force took %d rows, want %d", all.Progress.Total, len(numbers))
		}
		for id := int64(1); id <= 4; id++ {
			verify(t, in.System, id)
		}
	})
}

// TestRetryImportsExactlyTheFailedRows: after a rule was mended, a retry has the effect of importing the failed rows and
// nothing else, in their order, and what still fails keeps its number.
func TestRetryImportsExactlyTheFailedRows(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		in := install(t, to, rig.RedisOptions{}, reference.Products{Seed: 3, Rows: 3000, Repeated: 0.3, Bad: 0.1}, nil)
		in.Coordinator()
		in.Worker()
		in.want.check(t, in.System, in.Await(in.Begin("products"), patience))

		// The twin: the file, then the failed rows as a file of their own.
		table := reference.NewTable(in.want.importer)
		file := reference.Products{Seed: 3, Rows: 3000, Repeated: 0.3, Bad: 0.1}.Text()
		first, err := in.want.importer.Import(table, strings.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		mended := in.want.importer
		mended.Rules = []reference.Rule{{Column: "SKU", Rules: "required"}}
		in.Write("importers/products.yaml", mended.YAML())
		var failed strings.Builder
		rows := csv.NewWriter(&failed)
		header, _, _ := strings.Cut(file, "\n")
		records := [][]string{strings.Split(header, ",")}
		for _, row := range first.Rows {
			records = append(records, row.Cells)
		}
		if err := rows.WriteAll(records); err != nil {
			t.Fatal(err)
		}
		again := expectation{importer: mended}
		if again.result, err = mended.Import(table, strings.NewReader(failed.String())); err != nil {
			t.Fatal(err)
		}
		again.lines = table.Lines()
		for i := range again.result.Rows {
			again.result.Rows[i].Number = first.Rows[again.result.Rows[i].Number-1].Number
		}
		if again.result.Created == 0 || again.result.Updated == 0 || again.result.Failed == 0 {
			t.Fatalf("the file proves nothing: %+v", again.result)
		}
		if result := in.CLI("retry", "1"); result.Code != 3 {
			t.Fatalf("retry: exit code %d\n%s", result.Code, result.Stderr)
		}
		again.check(t, in.System, in.Status(2))
	})
}

// TestTwoRetriesAtOnce: one new run, the other is refused naming it.
func TestTwoRetriesAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		in := install(t, to, rig.RedisOptions{}, reference.Products{Seed: 3, Rows: 2000, Bad: 0.05}, nil)
		in.Coordinator()
		in.Worker()
		in.Await(in.Begin("products"), patience)
		won := atOnce(t, in, 4, "retry", "1", "--detach", "--output", "json")
		if won != 1 {
			t.Fatalf("%d of the retries won", won)
		}
		in.Await(2, patience)
		if r := in.Status(1); r.RetriedBy == nil || *r.RetriedBy != 2 {
			t.Errorf("run 1 names %v as its retry", r.RetriedBy)
		}
	})
}

// atOnce has a retry asked for n times at once, returns how many won, and wants the others refused naming run 2.
func atOnce(t *testing.T, in installation, n int, args ...string) (won int) {
	t.Helper()
	results := make([]rig.Result, n)
	var tasks []func(context.Context) error
	for i := range results {
		tasks = append(tasks, func(context.Context) error {
			results[i] = in.CLI(args...)
			return nil
		})
	}
	if err := lifecycle.Parallel(t.Context(), tasks...); err != nil {
		t.Fatal(err)
	}
	for _, result := range results {
		switch {
		case result.Code == 0:
			won++
		case result.Code == 1 && strings.Contains(result.Stderr, "retried as run #2."):
		default:
			t.Errorf("exit code %d: %s", result.Code, result.Stderr)
		}
	}
	return won
}

func TestRetryIsRefused(t *testing.T) {
	t.Parallel()
	in := install(t, toSQLite, rig.RedisOptions{}, reference.Products{Seed: 3, Rows: 500}, nil)
	in.Coordinator()
	if result := in.CLI("retry", "9"); result.Code != 1 || !strings.Contains(result.Stderr, "No ingest run found with ID 9.") {
		t.Errorf("unknown run: %d %s", result.Code, result.Stderr)
	}
	id := in.Begin("products")
	if result := in.CLI("retry", fmt.Sprint(id)); result.Code != 1 || !strings.Contains(result.Stderr, "Run #1 is not finished yet.") {
		t.Errorf("unfinished run: %d %s", result.Code, result.Stderr)
	}
	if waiting := in.Status(id).WaitingFor; waiting == nil || !strings.Contains(*waiting, "no worker is running") {
		t.Errorf("without a worker the run waits for %v", text(waiting))
	}
	in.Worker()
	in.want.check(t, in.System, in.Await(id, patience))
	if result := in.CLI("retry", fmt.Sprint(id)); result.Code != 1 ||
		!strings.Contains(result.Stderr, "The original run has no failed rows to retry.") {
		t.Errorf("nothing to retry: %d %s", result.Code, result.Stderr)
	}
}

// TestRetryWithoutKeptRows: with log_rows none the ledger holds no cell, and the retry reads the source again.
func TestRetryWithoutKeptRows(t *testing.T) {
	t.Parallel()
	in := install(t, toPostgres, rig.RedisOptions{}, reference.Products{Seed: 3, Rows: 3000, Bad: 0.05}, nil,
		"INGEST_LOG_ROWS=none")
	for _, row := range in.want.result.Rows {
		clear(row.Cells)
	}
	in.Coordinator()
	in.Worker()
	in.want.check(t, in.System, in.Await(in.Begin("products"), patience))
	if out := in.Must(0, "failed-rows", "1"); strings.Contains(out, "SKU-0") {
		t.Error("a cell was kept")
	}
	numbers, messages := failedRows(t, in.System, 1)
	in.Must(3, "retry", "1")
	again, reasons := failedRows(t, in.System, 2)
	if !slices.Equal(numbers, again) || !slices.Equal(messages, reasons) {
		t.Errorf("the retry failed %d rows, want the same %d with the same messages", len(again), len(numbers))
	}
}

// unread makes a run that was cancelled before any row was processed: nobody works.
func unread(t *testing.T, rows int) installation {
	t.Helper()
	in := install(t, toPostgres, rig.RedisOptions{}, reference.Products{Seed: 3, Rows: rows}, nil, "INGEST_IN_FLIGHT=1MiB")
	in.Coordinator()
	in.Begin("products")
	rig.Until(t, patience, "the split having begun", func() bool { return in.Status(1).Status == "processing" })
	in.Must(0, "cancel", "1", "--wait")
	return in
}

// TestRetryReadsTheSourceOnlyUnchanged: a retry of unprocessed rows pins the file like the run did.
func TestRetryReadsTheSourceOnlyUnchanged(t *testing.T) {
	t.Parallel()
	in := unread(t, 50_000)
	id := in.BeginWith("retry", "1", "--unprocessed")
	rig.Until(t, patience, "the split having begun", func() bool { return in.Status(id).Status == "processing" })
	file, err := os.OpenFile(in.want.importer.Path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteString("x")
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	in.Worker()
	if r := in.Await(id, patience); r.Status != "failed" || !strings.Contains(text(r.Reason), "has changed") {
		t.Fatalf("the retry is %s because %q", r.Status, text(r.Reason))
	}
}

// TestChainOfStoppedRetries: what a stopped retry never processed is taken along by the next, however long the chain.
func TestChainOfStoppedRetries(t *testing.T) {
	t.Parallel()
	in := unread(t, 30_000)
	second := in.BeginWith("retry", "1", "--unprocessed")
	in.Must(0, "cancel", fmt.Sprint(second), "--wait")
	in.Worker()
	third := in.BeginWith("retry", fmt.Sprint(second))
	r := in.Await(third, patience)
	if r.Status != "completed" || r.Progress.Total != 30_000 {
		t.Fatalf("the last retry is %s with %d rows: %s", r.Status, r.Progress.Total, text(r.Reason))
	}
	in.want.checkTable(t, in.System)
	verify(t, in.System, third)
}
