package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"ingest/shared/database"
	"ingest/shared/ledger"
	"ingest/shared/lifecycle"
)

// TestLocksAreHeldByOneTransaction: of many that read a number and write it back, none overwrites another's.
func TestLocksAreHeldByOneTransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		if _, err := db.Exec(t.Context(), "CREATE TABLE tally (a integer, b integer)"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(t.Context(), "INSERT INTO tally VALUES (0, 0)"); err != nil {
			t.Fatal(err)
		}
		count := func(ctx context.Context, names []string) error {
			if err := book.CreateLocks(ctx, names); err != nil {
				return err
			}
			for range 10 {
				tx, err := db.Begin(ctx)
				if err != nil {
					return err
				}
				held, err := book.Lock(ctx, tx, names)
				if err == nil && !held {
					err = errors.New("a lock is missing")
				}
				for _, name := range names {
					var n int
					err = errors.Join(err, tx.QueryRow(ctx, "SELECT "+name+" FROM tally").Scan(&n))
					if err == nil {
						_, err = tx.Exec(ctx, fmt.Sprintf("UPDATE tally SET %s = %d", name, n+1))
					}
				}
				if err != nil {
					return errors.Join(err, tx.Rollback())
				}
				if err := tx.Commit(ctx); err != nil {
					return err
				}
			}
			return nil
		}
		var tasks []func(context.Context) error
		for _, names := range [][]string{{"a"}, {"a", "b"}, {"b"}, {"a", "b"}} {
			tasks = append(tasks, func(ctx context.Context) error { return count(ctx, names) })
		}
		if err := lifecycle.Parallel(t.Context(), tasks...); err != nil {
			t.Fatal(err)
		}
		var a, b int
		if err := db.QueryRow(t.Context(), "SELECT a, b FROM tally").Scan(&a, &b); err != nil || a != 30 || b != 30 {
			t.Errorf("counted %d and %d, want 30 and 30: %v", a, b, err)
		}
	})
}

func TestALockThatIsNotThereIsNobodys(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		lock := func(names ...string) bool {
			tx, err := db.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			held, err := book.Lock(t.Context(), tx, names)
			if err := errors.Join(err, tx.Rollback()); err != nil {
				t.Fatal(err)
			}
			return held
		}
		if !lock() || lock("shop.items") {
			t.Error("held a lock that is not there, or not the none that was asked for")
		}
		for range 2 {
			if err := book.CreateLocks(t.Context(), []string{"shop.items"}); err != nil {
				t.Fatal(err)
			}
		}
		if !lock("shop.items") || lock("shop.items", "shop.tags") {
			t.Error("the lock that was made is not held, or one that was not is")
		}
		// A run that is pruned leaves the locks of its tables, which others use, too.
		if err := book.Prune(t.Context(), uid); err != nil || !lock("shop.items") {
			t.Errorf("the lock went with a run: %v", err)
		}
	})
}
