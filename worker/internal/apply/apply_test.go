package apply_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/chunk"
	"ingest/shared/database"
	"ingest/shared/database/dbtest"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/row"
	"ingest/shared/run"
	"ingest/worker/internal/apply"
)

const uid = "0123456789abcdef0123456789abcdef"

const definition = `importer: x
destination: {table: x}
key: [sku]
on_duplicate: update
fields:
  - {from: sku, to: sku}
  - {from: stock, to: stock}
`

// bench is a run of one partition on a real SQLite file, as a worker sees it.
type bench struct {
	db   *database.DB
	book *ledger.Ledger
	job  *apply.Job
}

func newBench(t *testing.T, dryRun bool) bench {
	t.Helper()
	return benchOf(t, definition, dryRun)
}

func benchOf(t *testing.T, definition string, dryRun bool, locks ...string) bench {
	t.Helper()
	db, err := database.Open(database.Config{Name: "default", URL: dbtest.SQLite(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := database.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	b := bench{db: db, book: ledger.New(db)}
	b.exec(t, "CREATE TABLE x (sku TEXT PRIMARY KEY, stock INTEGER)")
	if err := b.book.Create(t.Context(), uid, 1); err != nil {
		t.Fatal(err)
	}
	d, err := importer.Parse("x.yaml", []byte(definition), importer.Checks{})
	if err != nil {
		t.Fatal(err)
	}
	table, err := db.Table(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := run.Manifest{
		Splitter: run.SplitterVersion, Delimiter: ",", Header: []string{"sku", "stock"}, Partitions: 1, ChunkRows: 10,
		ChunkBytes: 1 << 20, Table: table, LogRows: run.LogFailed, Locks: locks,
	}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	snapshot, _ := d.Snapshot()
	if b.job, err = apply.NewJob(uid, snapshot, manifest, dryRun, apply.Parts{DB: db, FailedLimit: 1000}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b bench) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := b.db.Exec(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

func (b bench) apply(t *testing.T, n int64, payload []byte) apply.Result {
	t.Helper()
	result, err := b.job.Apply(t.Context(), 0, n, payload, nil)
	if err != nil {
		t.Fatalf("apply chunk %d: %v", n, err)
	}
	return result
}

// rows are the rows of the table and, last, the number of outcomes in the ledger.
func (b bench) rows(t *testing.T) (found string, outcomes int) {
	t.Helper()
	err := b.db.QueryRow(t.Context(), `SELECT COALESCE(GROUP_CONCAT(sku || '=' || COALESCE(stock, 'NULL'), ' '), '')
		FROM (SELECT sku, stock FROM x ORDER BY sku)`).Scan(&found)
	if err := errors.Join(err, b.db.QueryRow(t.Context(), "SELECT COUNT(*) FROM ingest_chunks").Scan(&outcomes)); err != nil {
		t.Fatal(err)
	}
	return found, outcomes
}

func (b bench) expect(t *testing.T, rows string, outcomes int) {
	t.Helper()
	if found, kept := b.rows(t); found != rows || kept != outcomes {
		t.Errorf("the table has %q and the ledger %d outcomes, want %q and %d", found, kept, rows, outcomes)
	}
}

func (b bench) head(t *testing.T) ledger.Head {
	t.Helper()
	heads, err := b.book.Heads(t.Context(), uid)
	if err != nil || len(heads) != 1 {
		t.Fatalf("%d heads: %v", len(heads), err)
	}
	return heads[0]
}

// payload holds rows like "a,1", numbered from first.
func payload(first int64, rows ...string) []byte {
	var b chunk.Builder
	for i, text := range rows {
		number := first + int64(i)
		b.Append(row.Row{Number: number, Line: number + 1, Cells: strings.Split(text, ",")})
	}
	return b.Payload()
}

// TestALockThatWasRemovedIsMadeAnew: the chunk without it writes nothing, the next attempt does.
func TestALockThatWasRemovedIsMadeAnew(t *testing.T) {
	t.Parallel()
	b := benchOf(t, definition, false, "x")
	_, err := b.job.Apply(t.Context(), 0, 1, payload(1, "a,1"), nil)
	if !apply.Again(err) || apply.Cause(err) != "lock_missing" {
		t.Fatalf("without its lock: %v", err)
	}
	b.expect(t, "", 0)
	b.apply(t, 1, payload(1, "a,1"))
	b.expect(t, "a=1", 1)
	b.apply(t, 2, payload(2, "a,2"))
	b.expect(t, "a=2", 2)
}

func TestAChunkIsAppliedOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	first := payload(1, "a,1", "b,many", "a,2", "c,")
	result := b.apply(t, 1, first)
	counts := run.Counts{Created: 2, Updated: 1, Failed: 1}
	if result.Verdict != apply.Applied || result.Outcome.Counts != counts || result.Totals != counts {
		t.Errorf("first: %+v", result)
	}
	b.expect(t, "a=2 c=NULL", 1)

	// What happens to the table afterwards is not undone by a second attempt.
	b.exec(t, "UPDATE x SET stock = 9 WHERE sku = 'a'")
	before := b.head(t)
	again := b.apply(t, 1, first)
	if again.Verdict != apply.Applied || again.Totals != counts || again.Outcome.Counts != counts {
		t.Errorf("second: %+v", again)
	}
	if diff := cmp.Diff(result.Outcome.Errors, again.Outcome.Errors); diff != "" {
		t.Errorf("the histogram (-first +second):\n%s", diff)
	}
	b.expect(t, "a=9 c=NULL", 1)
	if diff := cmp.Diff(before, b.head(t)); diff != "" {
		t.Errorf("the head changed:\n%s", diff)
	}

	next := b.apply(t, 2, payload(5, "d,4"))
	if want := counts.Add(run.Counts{Created: 1}); next.Verdict != apply.Applied || next.Totals != want {
		t.Errorf("next: %+v, want totals %+v", next, want)
	}
	// The totals of an early chunk are the partition's as they are now, so that nothing counts backwards.
	if late := b.apply(t, 1, first); late.Verdict != apply.Applied || late.Totals.Processed() < counts.Processed() {
		t.Errorf("chunk 1 after chunk 2: %+v", late)
	}
}

// TestAChunkApart has the effect of the same chunk applied as one: but for the rows that are not tried.
func TestAChunkApart(t *testing.T) {
	t.Parallel()
	rows := payload(1, "a,1", "b,many", "a,2", "c,", "a,2", "d,5")
	for _, dryRun := range []bool{false, true} {
		together, apart := newBench(t, dryRun), newBench(t, dryRun)
		var tried []int64
		none := &apply.Apart{Trying: func(_ context.Context, number int64) error {
			tried = append(tried, number)
			return nil
		}}
		want := together.apply(t, 1, rows)
		got, err := apart.job.Apply(t.Context(), 0, 1, rows, none)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("dry run %t: apart (-together +apart):\n%s", dryRun, diff)
		}
		// Every row before the pipeline, every good one before it is written, then none any more.
		if diff := cmp.Diff([]int64{1, 2, 3, 4, 5, 6, 1, 3, 4, 5, 6, 0}, tried); diff != "" {
			t.Errorf("tried (-want +got):\n%s", diff)
		}
		if found, outcomes := together.rows(t); !dryRun {
			apart.expect(t, found, outcomes)
		}
	}
	b := newBench(t, false)
	condemned := &apply.Apart{Condemned: map[int64]bool{3: true}, Trying: func(_ context.Context, number int64) error {
		if number == 3 {
			t.Error("a condemned row is tried")
		}
		return nil
	}}
	result, err := b.job.Apply(t.Context(), 0, 1, rows, condemned)
	if err != nil || result.Outcome.Counts != (run.Counts{Created: 3, Updated: 1, Failed: 2}) ||
		result.Outcome.Errors["The row could not be processed (it ended the worker again and again)."] != 1 {
		t.Errorf("%+v, %v", result, err)
	}
	b.expect(t, "a=2 c=NULL d=5", 1)
	lost := errors.New("lost")
	_, err = b.job.Apply(t.Context(), 0, 2, payload(7, "e,1"), &apply.Apart{Trying: func(context.Context, int64) error { return lost }})
	if !errors.Is(err, lost) {
		t.Errorf("%v", err)
	}
	b.expect(t, "a=2 c=NULL d=5", 1)
}

func TestOtherRowsUnderTheSameNumber(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	b.apply(t, 1, payload(1, "a,1"))
	for name, other := range map[string][]byte{
		"other cells": payload(1, "a,2"), "other numbers": payload(2, "a,1"), "more rows": payload(1, "a,1", "b,1"),
	} {
		_, err := b.job.Apply(t.Context(), 0, 1, other, nil)
		var broken *apply.Broken
		if !errors.As(err, &broken) || !strings.Contains(apply.Reason(err), "ledger is damaged") {
			t.Errorf("%s: %v", name, err)
		}
		if apply.Again(err) {
			t.Errorf("%s: the error asks for another attempt", name)
		}
	}
	b.expect(t, "a=1", 1)
}

// TestWhyAChunkDoesNotTakeEffect: in each case nothing is written and nothing recorded.
func TestWhyAChunkDoesNotTakeEffect(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before  string
		n       int64
		verdict apply.Verdict
	}{
		"the head is closed":           {before: "UPDATE ingest_partitions SET closed = TRUE", n: 2, verdict: apply.LetGo},
		"the head is closed, far":      {before: "UPDATE ingest_partitions SET closed = TRUE", n: 7, verdict: apply.LetGo},
		"the run was pruned":           {before: "DELETE FROM ingest_partitions", n: 2, verdict: apply.LetGo},
		"the head is behind":           {n: 3, verdict: apply.Behind},
		"the head is behind, by a lot": {n: 30, verdict: apply.Behind},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, false)
			b.apply(t, 1, payload(1, "a,1"))
			if c.before != "" {
				b.exec(t, c.before)
			}
			result := b.apply(t, c.n, payload(2, "b,1"))
			if result.Verdict != c.verdict {
				t.Errorf("verdict %d, want %d", result.Verdict, c.verdict)
			}
			if c.verdict == apply.Behind && (result.Head.Next != 2 || result.Head.Counts != (run.Counts{Created: 1})) {
				t.Errorf("the head it is behind: %+v", result.Head)
			}
			b.expect(t, "a=1", 1)
		})
	}
}

// TestAppliedBeforeTheHeadClosed is still acknowledged: it took effect.
func TestAppliedBeforeTheHeadClosed(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	b.apply(t, 1, payload(1, "a,1"))
	if err := b.book.Close(t.Context(), uid, 0); err != nil {
		t.Fatal(err)
	}
	if result := b.apply(t, 1, payload(1, "a,1")); result.Verdict != apply.Applied || result.Totals.Created != 1 {
		t.Errorf("%+v", result)
	}
}

// TestMissingOutcome: a head ahead of an outcome that is not there is no reason to write again.
func TestMissingOutcome(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	b.apply(t, 1, payload(1, "a,1"))
	b.exec(t, "DELETE FROM ingest_chunks")
	if _, err := b.job.Apply(t.Context(), 0, 1, payload(1, "a,5"), nil); !strings.Contains(apply.Reason(err), "ledger is damaged") {
		t.Errorf("%v", err)
	}
	b.expect(t, "a=1", 0)
}

func TestDamagedPayload(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	good := payload(1, "a,1", "b,2")
	for name, bad := range map[string][]byte{"nothing": nil, "cut": good[:len(good)-1], "other version": append([]byte{255}, good[1:]...)} {
		if _, err := b.job.Apply(t.Context(), 0, 1, bad, nil); apply.Reason(err) != "Chunk 1 of partition 0 is damaged." {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.expect(t, "", 0)
	if next := b.head(t).Next; next != 1 {
		t.Errorf("the head expects chunk %d", next)
	}
}

// TestADryRunRecordsAndWritesNothing, chunk by chunk.
func TestADryRunRecordsAndWritesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, true)
	b.exec(t, "INSERT INTO x VALUES ('old', 1)")
	result := b.apply(t, 1, payload(1, "a,1", "old,2", "a,3", "b,many"))
	want := run.Counts{Created: 1, Updated: 2, Failed: 1}
	if result.Verdict != apply.Applied || result.Totals != want || len(result.Outcome.Logged) != 1 {
		t.Errorf("%+v", result)
	}
	b.expect(t, "old=1", 1)
	b.apply(t, 2, payload(5, "c,1"))
	b.expect(t, "old=1", 2)
	if head := b.head(t); head.Next != 3 || head.Counts != want.Add(run.Counts{Created: 1}) {
		t.Errorf("the head is %+v", head)
	}
}

// TestARowOnlyCostsItself, wherever in the chunk it stands and however many there are.
func TestARowOnlyCostsItself(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	for n, rows := range [][]string{{"a,x"}, {"a,1", "b,x"}, {"c,x", "d,1"}, {"e"}, {"f,1,2", "g,1"}} {
		first := int64(10*n + 1)
		result := b.apply(t, int64(n+1), payload(first, rows...))
		if result.Outcome.Counts.Failed != 1 || result.Outcome.Counts.Processed() != int64(len(rows)) {
			t.Errorf("chunk %d: %+v", n+1, result.Outcome.Counts)
		}
		if last := first + int64(len(rows)) - 1; result.Outcome.FirstRow != first || result.Outcome.LastRow != last {
			t.Errorf("chunk %d: rows %s", n+1, fmt.Sprint(result.Outcome.FirstRow, "–", result.Outcome.LastRow))
		}
	}
	b.expect(t, "a=1 d=1 g=1", 5)
}
