package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/chunk"
	"ingest/shared/database"
	"ingest/shared/ledger"
	"ingest/shared/run"
)

const lanes, perLane, rowsPerChunk = 3, 4, 6

// fill writes a run whose rows go round-robin through the partitions, and returns all its outcomes.
func fill(t *testing.T, db *database.DB, book *ledger.Ledger) (all []chunk.Outcome) {
	t.Helper()
	must(t, book.Create(t.Context(), uid, lanes))
	for partition := range lanes {
		for n := range int64(perLane) {
			// The last lane has chunks without a failed row.
			o := outcome(1+int64(partition)+n*rowsPerChunk*lanes, lanes, rowsPerChunk, int64(2*(lanes-1-partition)))
			apply(t, db, book, partition, n+1, o)
			all = append(all, o)
		}
	}
	return all
}

func TestLoggedRowsComeByNumberAcrossPartitions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		byNumber := map[int64]chunk.Logged{}
		for _, o := range fill(t, db, book) {
			for _, logged := range o.Logged {
				byNumber[logged.Row.Number] = logged
			}
		}
		for name, f := range map[string]ledger.Filter{
			"all": {}, "message": {Message: "message 1"}, "after": {After: 17}, "failed": {Failed: true},
			"both": {Message: "message 1", After: 30}, "none": {Message: "message"}, "end": {After: 1 << 40},
		} {
			var want, got []chunk.Logged
			for number := range int64(1 + lanes*perLane*rowsPerChunk) {
				logged, ok := byNumber[number]
				if ok && number > f.After && (f.Message == "" || f.Message == logged.Message) {
					want = append(want, logged)
				}
			}
			for logged, err := range book.Logged(t.Context(), uid, lanes, f) {
				must(t, err)
				got = append(got, logged)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		for _, err := range book.Logged(t.Context(), uid, lanes, ledger.Filter{}) {
			must(t, err)
			break
		}
	})
}

func TestDamagedLoggedRowsAreAnError(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		fill(t, db, book)
		_, err := db.Exec(t.Context(), "UPDATE "+db.Ledger("ingest_chunks")+` SET logged = ? WHERE "partition" = 0 AND chunk = 3`, []byte{9})
		must(t, err)
		var last error
		for _, err := range book.Logged(t.Context(), uid, lanes, ledger.Filter{}) {
			if last != nil {
				t.Error("the rows go on after an error")
			}
			last = err
		}
		if !errors.Is(last, chunk.ErrDamaged) {
			t.Errorf("%v", last)
		}
	})
}

func TestNumbersCanBeRecomputed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		ctx := t.Context()
		messages, validation := map[string]int64{}, map[string]int64{}
		var total run.Counts
		all := fill(t, db, book)
		for _, o := range all {
			total = total.Add(o.Counts)
			for message, n := range o.Errors {
				messages[message] += n
				validation["c: "+message] += n
			}
		}
		gotErrors, gotValidation, err := book.Histograms(ctx, uid)
		must(t, err)
		if diff := cmp.Diff(messages, gotErrors) + cmp.Diff(validation, gotValidation); diff != "" {
			t.Error(diff)
		}
		if n, err := book.FailedCount(ctx, uid); n != total.Failed || err != nil {
			t.Errorf("%d failed rows, want %d (%v)", n, total.Failed, err)
		}
		got, err := book.Verify(ctx, uid, -1)
		must(t, err)
		want := ledger.Verified{Chunks: lanes * perLane, Outcomes: total, Heads: total, Errors: messages, Validation: validation}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		var numbers []int64
		must(t, book.Outcomes(ctx, uid, 1, 2, func(n int64, o chunk.Outcome) error {
			numbers = append(numbers, n)
			want := all[perLane+n-1]
			want.Logged = nil
			if diff := cmp.Diff(want, o); diff != "" {
				t.Error(diff)
			}
			return nil
		}))
		if diff := cmp.Diff([]int64{2, 3, 4}, numbers); diff != "" {
			t.Error(diff)
		}
		stop := errors.New("stop")
		if err := book.Outcomes(ctx, uid, 1, 1, func(int64, chunk.Outcome) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("%v", err)
		}
	})
}

func TestVerifyFindsDamage(t *testing.T) {
	t.Parallel()
	for damage, want := range map[string]string{
		`DELETE FROM %s WHERE "partition" = 0 AND chunk = 2`:                         "chunk 3 follows chunk 1",
		`DELETE FROM %s WHERE "partition" = 0 AND chunk = 4`:                         "the head waits for chunk 5, the last outcome is 3",
		`UPDATE %s SET created = created + 1 WHERE "partition" = 1 AND chunk = 1`:    "the head says",
		`UPDATE %s SET failed = failed + 1 WHERE "partition" = 1 AND chunk = 1`:      "failed rows,",
		`UPDATE %s SET first_row = 1 WHERE "partition" = 2 AND chunk = 3`:            "follow row",
		`UPDATE %s SET "partition" = 7 WHERE "partition" = 2 AND chunk = 4`:          "1 outcomes belong to no partition",
		`UPDATE %s SET skipped = -1, created = created + 1 WHERE "partition" = 2`:    "skipped is -1",
		`UPDATE %s SET created = created + 1000 WHERE "partition" = 2 AND chunk = 1`: "there are at most",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
				fill(t, db, book)
				_, err := db.Exec(t.Context(), fmt.Sprintf(damage, db.Ledger("ingest_chunks")))
				must(t, err)
				got, err := book.Verify(t.Context(), uid, -1)
				must(t, err)
				if !strings.Contains(strings.Join(got.Problems, "\n"), want) {
					t.Errorf("problems %q", got.Problems)
				}
			})
		})
	}
}

func TestPagesOfOutcomesAreComplete(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		ctx := t.Context()
		must(t, book.Create(ctx, uid, 2))
		const chunks = 450
		_, err := db.Exec(ctx, "INSERT INTO "+db.Ledger("ingest_chunks")+` (uid, "partition", chunk, first_row, last_row, hash,
			created, updated, unchanged, skipped, failed, histogram)
			WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 900)
			SELECT h.uid, n % 2, (n + 1 - (n + 1) % 2) / 2, n, n, 'h', 0, 0, 0, 0, 1, '{"errors":{"m":1}}'
			FROM n JOIN `+db.Ledger("ingest_partitions")+` AS h ON h."partition" = 0`)
		must(t, err)
		for partition := range 2 {
			last := int64(0)
			must(t, book.Outcomes(ctx, uid, partition, 1, func(n int64, _ chunk.Outcome) error {
				if n != last+1 {
					t.Errorf("chunk %d follows %d", n, last)
				}
				last = n
				return nil
			}))
			if last != chunks {
				t.Errorf("%d chunks", last)
			}
		}
		messages, _, err := book.Histograms(ctx, uid)
		if err != nil || messages["m"] != 2*chunks {
			t.Errorf("%v %v", messages, err)
		}
		must(t, book.Prune(ctx, uid))
		if n, err := book.FailedCount(ctx, uid); n != 0 || err != nil {
			t.Errorf("%d rows left (%v)", n, err)
		}
	})
}
