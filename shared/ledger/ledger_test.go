package ledger_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/chunk"
	"ingest/shared/database"
	"ingest/shared/database/dbtest"
	"ingest/shared/ledger"
	"ingest/shared/lifecycle"
	"ingest/shared/row"
	"ingest/shared/run"
)

const uid = "0123456789abcdef0123456789abcdef"

// each runs a test on a ledger of every dialect.
func each(t *testing.T, test func(t *testing.T, db *database.DB, book *ledger.Ledger)) {
	t.Helper()
	for name, c := range map[string]func(testing.TB) database.Config{
		"sqlite":   func(t testing.TB) database.Config { return database.Config{URL: dbtest.SQLite(t)} },
		"postgres": func(t testing.TB) database.Config { return database.Config{URL: dbtest.Postgres(t)} },
		"mariadb":  func(t testing.TB) database.Config { return database.Config{URL: dbtest.MariaDB(t)} },
		"database": func(t testing.TB) database.Config {
			return database.Config{URL: dbtest.MariaDB(t), LedgerSchema: "ops_" + strings.ToLower(rand.Text())}
		},
		"schema": func(t testing.TB) database.Config {
			return database.Config{URL: dbtest.Postgres(t), LedgerSchema: "Ops"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := migrated(t, c(t))
			test(t, db, ledger.New(db))
		})
	}
}

func migrated(t *testing.T, c database.Config) *database.DB {
	t.Helper()
	c.Name = "warehouse"
	db, err := database.Open(c)
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
	return db
}

// outcome is one of a chunk whose rows are first, first+step, …, of which every failEvery-th fails.
func outcome(first, step, rows, failEvery int64) chunk.Outcome {
	o := chunk.Outcome{FirstRow: first, LastRow: first + step*(rows-1), Hash: fmt.Sprintf("h%d", first)}
	for i := range rows {
		number := first + i*step
		if failEvery == 0 || i%failEvery != 0 {
			o.Counts.Created++
			continue
		}
		message := fmt.Sprintf("message %d", number%3)
		o.Fail(row.Row{Number: number, Line: number + 1, Cells: []string{"a\x00", "\xff", fmt.Sprint(number)}}, message,
			[]chunk.FieldMessage{{Column: "c", Messages: []string{message}}})
	}
	return o
}

// write applies a chunk as a worker does and returns whether it took effect.
func write(ctx context.Context, db *database.DB, book *ledger.Ledger, partition int, n int64, o chunk.Outcome) (won bool, totals run.Counts, err error) {
	tx, err := db.Begin(ctx)
	if err != nil {
		return false, totals, err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	if won, err = book.Advance(ctx, tx, uid, partition, n); err != nil || !won {
		return false, totals, err
	}
	if totals, err = book.Record(ctx, tx, uid, partition, n, o); err != nil {
		return false, totals, err
	}
	return true, totals, tx.Commit(ctx)
}

func apply(t *testing.T, db *database.DB, book *ledger.Ledger, partition int, n int64, o chunk.Outcome) run.Counts {
	t.Helper()
	won, totals, err := write(t.Context(), db, book, partition, n, o)
	if err != nil || !won {
		t.Fatalf("chunk %d: won %v, %v", n, won, err)
	}
	return totals
}

// TestOnceIsATransactionOfItsOwn: what Once does is what Advance, Record and COMMIT do, in the same order and with the same refusals.
func TestOnceIsATransactionOfItsOwn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		ctx := t.Context()
		once := func(partition int, n int64, o chunk.Outcome) (run.Counts, bool) {
			t.Helper()
			totals, won, err := book.Once(ctx, uid, partition, n, o)
			must(t, err)
			return totals, won
		}
		first, second := outcome(1, 1, 10, 3), outcome(11, 1, 10, 0)
		if _, won := once(0, 1, first); won {
			t.Error("a chunk without a head")
		}
		must(t, book.Create(ctx, uid, 3))
		if _, won := once(0, 2, second); won {
			t.Error("chunk 2 before chunk 1")
		}
		if totals, won := once(0, 1, first); !won || totals != first.Counts {
			t.Errorf("chunk 1: %v, totals %+v", won, totals)
		}
		if totals, won := once(0, 1, first); won || totals != (run.Counts{}) {
			t.Errorf("chunk 1 again: %v, totals %+v", won, totals)
		}
		if totals, won := once(0, 2, second); !won || totals.Failed != first.Counts.Failed || totals.Created != first.Counts.Created+10 {
			t.Errorf("chunk 2: %v, totals %+v", won, totals)
		}
		// The twin by transactions.
		apply(t, db, book, 1, 1, first)
		apply(t, db, book, 1, 2, second)
		for n := int64(1); n <= 2; n++ {
			got, gotTotals, found, err := book.Applied(ctx, uid, 0, n)
			must(t, err)
			want, wantTotals, _, err := book.Applied(ctx, uid, 1, n)
			must(t, err)
			if !found || !reflect.DeepEqual(got, want) || gotTotals != wantTotals {
				t.Errorf("chunk %d:\n got %+v %+v\nwant %+v %+v", n, got, gotTotals, want, wantTotals)
			}
		}
		must(t, book.Close(ctx, uid, 0))
		if _, won := once(0, 3, outcome(21, 1, 3, 0)); won {
			t.Error("a chunk of a closed partition")
		}
	})
}

// TestOnceTakesEffectForOneOfTwo that have the same chunk at the same time.
func TestOnceTakesEffectForOneOfTwo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		must(t, book.Create(t.Context(), uid, 1))
		const chunks = 20
		for n := int64(1); n <= chunks; n++ {
			var won atomic.Int64
			tasks := lifecycle.NewTasks(t.Context())
			for range 2 {
				tasks.Go("record the chunk", func(ctx context.Context) error {
					_, first, err := book.Once(ctx, uid, 0, n, outcome(10*n, 1, 3, 0))
					if first {
						won.Add(1)
					}
					return err
				})
			}
			must(t, tasks.Wait())
			if won.Load() != 1 {
				t.Fatalf("chunk %d took effect %d times", n, won.Load())
			}
		}
		head, err := book.Head(t.Context(), uid, 0)
		must(t, err)
		if head.Next != chunks+1 || head.Counts.Created != 3*chunks {
			t.Errorf("%+v", head)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v: %v", err, errors.Unwrap(errors.Unwrap(err)))
	}
}

func TestAChunkTakesEffectOnceAndInOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		ctx := t.Context()
		if won, _, err := write(ctx, db, book, 0, 1, outcome(1, 1, 5, 0)); won || err != nil {
			t.Errorf("a chunk without a head: %v %v", won, err)
		}
		must(t, book.Create(ctx, uid, 3))
		must(t, book.Create(ctx, uid, 3))
		first, second := outcome(1, 1, 10, 3), outcome(11, 1, 10, 0)
		if won, _, err := write(ctx, db, book, 0, 2, second); won || err != nil {
			t.Errorf("chunk 2 before chunk 1: %v %v", won, err)
		}
		if got := apply(t, db, book, 0, 1, first); got != first.Counts {
			t.Errorf("totals %+v", got)
		}
		if won, _, err := write(ctx, db, book, 0, 1, first); won || err != nil {
			t.Errorf("chunk 1 again: %v %v", won, err)
		}
		if got := apply(t, db, book, 0, 2, second); got != first.Counts.Add(second.Counts) {
			t.Errorf("totals %+v", got)
		}
		got, totals, found, err := book.Applied(ctx, uid, 0, 1)
		must(t, err)
		first.Logged = nil
		if diff := cmp.Diff(first, got); diff != "" || !found || totals != first.Counts {
			t.Errorf("applied: %v %+v\n%s", found, totals, diff)
		}
		if _, _, found, err := book.Applied(ctx, uid, 0, 3); found || err != nil {
			t.Errorf("chunk 3 was applied: %v", err)
		}
		heads, err := book.Heads(ctx, uid)
		must(t, err)
		want := []ledger.Head{
			{Partition: 0, Next: 3, SealedChunks: -1, SealedRows: -1, Counts: first.Counts.Add(second.Counts)},
			{Partition: 1, Next: 1, SealedChunks: -1, SealedRows: -1},
			{Partition: 2, Next: 1, SealedChunks: -1, SealedRows: -1},
		}
		if diff := cmp.Diff(want, heads); diff != "" {
			t.Error(diff)
		}
	})
}

func TestARollbackLeavesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		must(t, book.Create(t.Context(), uid, 1))
		tx, err := db.Begin(t.Context())
		must(t, err)
		if won, err := book.Advance(t.Context(), tx, uid, 0, 1); !won || err != nil {
			t.Fatalf("%v %v", won, err)
		}
		if _, err := book.Record(t.Context(), tx, uid, 0, 1, outcome(1, 1, 3, 1)); err != nil {
			t.Fatal(err)
		}
		must(t, tx.Rollback())
		apply(t, db, book, 0, 1, outcome(1, 1, 3, 1))
	})
}

func TestRecordWithoutAdvanceIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		must(t, book.Create(t.Context(), uid, 1))
		tx, err := db.Begin(t.Context())
		must(t, err)
		if _, err := book.Record(t.Context(), tx, uid, 0, 1, outcome(1, 1, 3, 1)); !errors.Is(err, ledger.ErrNoHead) {
			t.Errorf("%v", err)
		}
		must(t, tx.Rollback())
	})
}

func TestOfManyAtOnceExactlyOneAppliesAChunk(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		must(t, book.Create(t.Context(), uid, 1))
		const chunks, workers = 5, 4
		wins := make(chan int64, chunks*workers)
		var tasks []func(context.Context) error
		for range workers {
			tasks = append(tasks, func(ctx context.Context) error {
				for n := int64(1); n <= chunks; n++ {
					won, _, err := write(ctx, db, book, 0, n, outcome(n*10, 1, 10, 2))
					if err != nil {
						return err
					}
					if won {
						wins <- n
					}
				}
				return nil
			})
		}
		must(t, lifecycle.Parallel(t.Context(), tasks...))
		close(wins)
		// Whoever won tells after its commit, so the order in which they tell says nothing.
		won := map[int64]int{}
		for n := range wins {
			won[n]++
		}
		for n := int64(1); n <= chunks; n++ {
			if won[n] != 1 {
				t.Errorf("chunk %d took effect %d times", n, won[n])
			}
		}
	})
}

func TestCloseLetsNothingMoreTakeEffect(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		ctx := t.Context()
		must(t, book.Create(ctx, uid, 1))
		apply(t, db, book, 0, 1, outcome(1, 1, 3, 0))
		for _, partition := range []int{0, 0, 1} {
			must(t, book.Close(ctx, uid, partition))
		}
		must(t, book.Create(ctx, uid, 2))
		for partition, n := range []int64{2, 1} {
			if won, _, err := write(ctx, db, book, partition, n, outcome(4, 1, 3, 0)); won || err != nil {
				t.Errorf("a chunk took effect in closed partition %d: %v", partition, err)
			}
		}
		heads, err := book.Heads(ctx, uid)
		must(t, err)
		if len(heads) != 2 || !heads[0].Closed || !heads[1].Closed || heads[0].Next != 2 || heads[1].Next != 1 {
			t.Errorf("%+v", heads)
		}
	})
}

func TestCloseWaitsForTheChunkInFlight(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		ctx := t.Context()
		must(t, book.Create(ctx, uid, 1))
		tx, err := db.Begin(ctx)
		must(t, err)
		if won, err := book.Advance(ctx, tx, uid, 0, 1); !won || err != nil {
			t.Fatalf("%v %v", won, err)
		}
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		if err := book.Close(short, uid, 0); !database.Transient(err) {
			t.Errorf("a close did not wait: %v", err)
		}
		closing := lifecycle.NewTasks(ctx)
		closing.Go("close", func(ctx context.Context) error { return book.Close(ctx, uid, 0) })
		_, err = book.Record(ctx, tx, uid, 0, 1, outcome(1, 1, 3, 0))
		must(t, errors.Join(err, tx.Commit(ctx), closing.Wait()))
		heads, err := book.Heads(ctx, uid)
		must(t, err)
		if !heads[0].Closed || heads[0].Next != 2 || heads[0].Counts.Created != 3 {
			t.Errorf("%+v", heads[0])
		}
	})
}

func TestAZombieOfMariaDBIsEnded(t *testing.T) {
	t.Parallel()
	db := migrated(t, database.Config{URL: dbtest.MariaDB(t)})
	book, ctx := ledger.New(db), t.Context()
	must(t, book.Create(ctx, uid, 2))
	apply(t, db, book, 0, 1, outcome(1, 1, 3, 0))
	if ended, err := book.EndSession(ctx, uid, 0); ended != 0 || err != nil {
		t.Errorf("a session that has committed was ended: %d, %v", ended, err)
	}
	zombie, err := db.Begin(ctx)
	must(t, err)
	if won, err := book.Advance(ctx, zombie, uid, 0, 2); !won || err != nil {
		t.Fatalf("%v %v", won, err)
	}
	if ended, err := book.EndSession(ctx, uid, 0); ended != 1 || err != nil {
		t.Errorf("%d sessions ended, want 1: %v", ended, err)
	}
	if _, err := book.Record(ctx, zombie, uid, 0, 2, outcome(4, 1, 3, 0)); !database.Transient(err) {
		t.Errorf("the zombie recorded: %v", err)
	}
	must(t, zombie.Rollback())
	apply(t, db, book, 0, 2, outcome(4, 1, 3, 0))
	if ended, err := book.EndSession(ctx, uid, 7); ended != 0 || err != nil {
		t.Errorf("a partition that is not there: %d, %v", ended, err)
	}
}

func TestAZombieIsEndedBySession(t *testing.T) {
	t.Parallel()
	db := migrated(t, database.Config{URL: dbtest.Postgres(t)})
	book, ctx := ledger.New(db), t.Context()
	must(t, book.Create(ctx, uid, 2))
	zombie, err := db.Begin(ctx)
	must(t, err)
	other, err := db.Begin(ctx)
	must(t, err)
	for partition, tx := range []*database.Tx{zombie, other} {
		if won, err := book.Advance(ctx, tx, uid, partition, 1); !won || err != nil {
			t.Fatalf("%v %v", won, err)
		}
	}
	// One that still waits for the zombie's lock is found, too.
	waiting := lifecycle.NewTasks(ctx)
	waiting.Go("wait", func(ctx context.Context) error {
		tx, err := db.Begin(ctx)
		if err != nil {
			return err
		}
		won, err := book.Advance(ctx, tx, uid, 0, 1)
		if won {
			// It may have the lock for a moment; it is at work when its session ends.
			_, err = tx.Exec(ctx, "SELECT pg_sleep(30)")
		}
		if !database.Transient(err) {
			return fmt.Errorf("a chunk that waited for the zombie: won %v: %w", won, err)
		}
		return tx.Rollback()
	})
	for named := 0; named < 2; {
		must(t, db.QueryRow(ctx, "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = ?", "ingest "+uid+"/0").Scan(&named))
	}
	ended, err := book.EndSession(ctx, uid, 0)
	must(t, err)
	if ended != 2 {
		t.Errorf("%d sessions ended, want 2", ended)
	}
	must(t, waiting.Wait())
	if _, err := book.Record(ctx, zombie, uid, 0, 1, outcome(1, 1, 3, 0)); !database.Transient(err) {
		t.Errorf("the zombie recorded: %v", err)
	}
	if err := zombie.Commit(ctx); !errors.Is(err, database.ErrDoomed) {
		t.Errorf("the zombie committed: %v", err)
	}
	apply(t, db, book, 0, 1, outcome(1, 1, 3, 0))
	_, err = book.Record(ctx, other, uid, 1, 1, outcome(4, 1, 3, 0))
	must(t, errors.Join(err, other.Commit(ctx)))
	if ended, err := book.EndSession(ctx, uid, 1); ended != 0 || err != nil {
		t.Errorf("a session that has committed was ended: %d %v", ended, err)
	}
}

func TestSealIsIdempotentAndRefusesOtherNumbers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		ctx := t.Context()
		must(t, book.Create(ctx, uid, 2))
		must(t, book.Seal(ctx, uid, []int64{3, 0}, []int64{30, 0}))
		must(t, book.Seal(ctx, uid, []int64{3, 0}, []int64{30, 0}))
		if err := book.Seal(ctx, uid, []int64{3, 1}, []int64{30, 0}); !errors.Is(err, ledger.ErrSealed) {
			t.Errorf("another seal: %v", err)
		}
		if err := book.Seal(ctx, uid, []int64{3, 0, 1}, []int64{30, 0, 1}); !errors.Is(err, ledger.ErrNoHead) {
			t.Errorf("a seal without a head: %v", err)
		}
		heads, err := book.Heads(ctx, uid)
		must(t, err)
		if heads[0].SealedChunks != 3 || heads[0].SealedRows != 30 || heads[1].SealedChunks != 0 || heads[1].SealedRows != 0 {
			t.Errorf("%+v", heads)
		}
	})
}

func TestPruneRemovesOneRunAndFencesIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		ctx := t.Context()
		must(t, book.Create(ctx, uid, 1))
		must(t, book.Create(ctx, "other", 1))
		apply(t, db, book, 0, 1, outcome(1, 1, 3, 1))
		must(t, book.Prune(ctx, uid))
		must(t, book.Prune(ctx, uid))
		if n, err := book.FailedCount(ctx, uid); n != 0 || err != nil {
			t.Errorf("%d failed rows (%v)", n, err)
		}
		if won, _, err := write(ctx, db, book, 0, 2, outcome(4, 1, 3, 1)); won || err != nil {
			t.Errorf("a chunk of a pruned run: %v %v", won, err)
		}
		if heads, err := book.Heads(ctx, "other"); len(heads) != 1 || err != nil {
			t.Errorf("the other run: %v %v", heads, err)
		}
	})
}
