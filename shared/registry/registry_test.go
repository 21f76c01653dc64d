package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/database/dbtest"
	"ingest/shared/lifecycle"
	"ingest/shared/registry"
	"ingest/shared/run"
)

func at(second int) time.Time { return time.Date(2026, 1, 27, 10, 0, second, 123456000, time.UTC) }

// each runs a test on a registry of every dialect.
func each(t *testing.T, test func(t *testing.T, db *database.DB, r *registry.Registry)) {
	t.Helper()
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres, "mariadb": dbtest.MariaDB} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := database.Open(database.Config{Name: "default", URL: url(t)})
			must(t, err)
			t.Cleanup(func() {
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			})
			must(t, database.Migrate(t.Context(), db))
			test(t, db, registry.New(db, "ingest"))
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v: %v", err, errors.Unwrap(errors.Unwrap(err)))
	}
}

func create(t *testing.T, r *registry.Registry, n registry.NewRun) run.Run {
	t.Helper()
	if n.Importer == "" {
		n.Importer = "users"
	}
	n.At = at(0)
	created, existing, err := r.Create(t.Context(), n)
	must(t, err)
	if existing {
		t.Fatal("the run existed")
	}
	return created
}

func get(t *testing.T, r *registry.Registry, id int64) run.Run {
	t.Helper()
	got, err := r.Get(t.Context(), id)
	must(t, err)
	return got
}

func TestARunIsKeptAsItIs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, _ *database.DB, r *registry.Registry) {
		ctx := t.Context()
		created := create(t, r, registry.NewRun{
			Importer: "users", Connection: "warehouse", Definition: json.RawMessage(`{"a": [1,  2], "ü": "\u0000"}`), Hash: "h",
			Origin: run.Origin{Path: "/data/ü.csv", Spool: "s1", Spooled: true}, DryRun: true, User: "o\x00ps", Filename: "a\xff.csv",
			Warnings: []string{"w1"},
		})
		want := run.Run{
			ID: created.ID, UID: created.UID, Namespace: "ingest", Importer: "users", Connection: "warehouse",
			Definition: json.RawMessage(`{"a": [1,  2], "ü": "\u0000"}`), Hash: "h",
			Origin: run.Origin{Path: "/data/ü.csv", Spool: "s1", Spooled: true}, DryRun: true, Status: run.Pending,
			Warnings: []string{"w1"}, User: "o\uFFFDps", Filename: "a\uFFFD.csv", CreatedAt: at(0),
		}
		if diff := cmp.Diff(want, created); diff != "" {
			t.Error(diff)
		}
		if len(created.UID) != 32 || created.ID < 1 {
			t.Errorf("id %d, uid %q", created.ID, created.UID)
		}
		manifest := run.Manifest{Splitter: 1, Header: []string{"a", "b"}, Partitions: 4, Table: column.Table{Name: "t", Columns: []column.Column{{Name: "a"}}}}
		want.Manifest, want.Origin.Path = &manifest, "/spool/fetched"
		fixed, err := r.Fix(ctx, created.ID, manifest, want.Origin)
		must(t, err)
		if diff := cmp.Diff(want, fixed); diff != "" {
			t.Error(diff)
		}
		second, err := r.Fix(ctx, created.ID, run.Manifest{Partitions: 9}, run.Origin{Path: "/spool/too late"})
		must(t, err)
		if diff := cmp.Diff(want, second); diff != "" {
			t.Errorf("the manifest was fixed twice:\n%s", diff)
		}
		if won, err := r.Begin(ctx, created.ID, at(1)); !won || err != nil {
			t.Fatalf("begin: %v %v", won, err)
		}
		must(t, r.Warn(ctx, created.ID, []string{"w2", "w1", "w2"}))
		final := run.Final{Total: 3, Counts: run.Counts{Created: 2, Failed: 1}, Errors: []run.MessageCount{{Message: "m", Count: 1}}}
		if won, err := r.Finish(ctx, created.ID, run.CompletedWithErrors, final, at(2)); !won || err != nil {
			t.Fatalf("finish: %v %v", won, err)
		}
		must(t, r.Warn(ctx, created.ID, []string{"too late"}))
		want.Status, want.StartedAt, want.CompletedAt = run.CompletedWithErrors, at(1), at(2)
		want.Final, want.Warnings = &final, []string{"w1", "w2"}
		if diff := cmp.Diff(want, get(t, r, created.ID), cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestSourcesAreThoseOfAllNamespaces: what any run names must not be taken for nobody's.
func TestSourcesAreThoseOfAllNamespaces(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, r *registry.Registry) {
		create(t, r, registry.NewRun{Origin: run.Origin{Path: "/spool/a", Spooled: true}})
		create(t, registry.New(db, "other"), registry.NewRun{Origin: run.Origin{Path: "/spool/ü\"b"}})
		var paths []string
		must(t, r.Sources(t.Context(), func(o run.Origin) { paths = append(paths, o.Path) }))
		slices.Sort(paths)
		if diff := cmp.Diff([]string{"/spool/a", "/spool/ü\"b"}, paths); diff != "" {
			t.Error(diff)
		}
	})
}

// TestAStoppedRunGetsNoManifest: what has none when it is stopped has written nothing and never will.
func TestAStoppedRunGetsNoManifest(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, _ *database.DB, r *registry.Registry) {
		ctx := t.Context()
		cancelled := create(t, r, registry.NewRun{}).ID
		_, _, err := r.Cancel(ctx, cancelled)
		must(t, err)
		failing := create(t, r, registry.NewRun{}).ID
		_, err = r.Fail(ctx, failing, "why")
		must(t, err)
		for _, id := range []int64{cancelled, failing} {
			if fixed, err := r.Fix(ctx, id, run.Manifest{Partitions: 1}, run.Origin{}); fixed.Manifest != nil || err != nil {
				t.Errorf("run %d has the manifest %v: %v", id, fixed.Manifest, err)
			}
		}
	})
}

func TestUnknownRunsAreUnknown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, r *registry.Registry) {
		ctx := t.Context()
		foreign := create(t, registry.New(db, "other"), registry.NewRun{})
		for _, id := range []int64{0, 999, foreign.ID} {
			_, get := r.Get(ctx, id)
			_, fix := r.Fix(ctx, id, run.Manifest{}, run.Origin{})
			_, begin := r.Begin(ctx, id, at(0))
			_, _, cancel := r.Cancel(ctx, id)
			_, fail := r.Fail(ctx, id, "x")
			_, finish := r.Finish(ctx, id, run.Cancelled, run.Final{}, at(0))
			_, _, retry := r.Create(ctx, registry.NewRun{Parent: id, Claim: true})
			for name, err := range map[string]error{
				"get": get, "fix": fix, "begin": begin, "cancel": cancel, "fail": fail, "finish": finish, "retry": retry,
				"warn": r.Warn(ctx, id, []string{"w"}),
			} {
				if !errors.Is(err, registry.ErrUnknown) {
					t.Errorf("%s of run %d: %v", name, id, err)
				}
			}
		}
		if runs, total, err := r.List(ctx, registry.Filter{}); len(runs) != 0 || total != 0 || err != nil {
			t.Errorf("runs of another namespace are listed: %v %d %v", runs, total, err)
		}
	})
}

func TestListAndActive(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, _ *database.DB, r *registry.Registry) {
		ctx := t.Context()
		var ids []int64
		for i := range 5 {
			importer := "users"
			if i == 2 {
				importer = "products"
			}
			ids = append(ids, create(t, r, registry.NewRun{Importer: importer, Definition: json.RawMessage("{}")}).ID)
		}
		manifest := run.Manifest{Splitter: 1, Fingerprint: run.Fingerprint{Size: 7}, Warnings: []string{"w"}}
		_, err := r.Fix(ctx, ids[3], manifest, run.Origin{})
		must(t, err)
		_, err = r.Begin(ctx, ids[3], at(1))
		must(t, err)
		_, err = r.Finish(ctx, ids[3], run.Completed, run.Final{}, at(2))
		must(t, err)
		_, _, err = r.Cancel(ctx, ids[1])
		must(t, err)
		for name, c := range map[string]struct {
			filter registry.Filter
			want   []int64
			total  int64
		}{
			"all":      {registry.Filter{}, []int64{ids[4], ids[3], ids[2], ids[1], ids[0]}, 5},
			"page":     {registry.Filter{Limit: 2, Offset: 1}, []int64{ids[3], ids[2]}, 5},
			"beyond":   {registry.Filter{Limit: 2, Offset: 10}, nil, 5},
			"status":   {registry.Filter{Status: "pending"}, []int64{ids[4], ids[2], ids[0]}, 3},
			"importer": {registry.Filter{Importer: "products"}, []int64{ids[2]}, 1},
			"both":     {registry.Filter{Importer: "products", Status: "completed"}, nil, 0},
		} {
			runs, total, err := r.List(ctx, c.filter)
			must(t, err)
			if diff := cmp.Diff(c.want, idsOf(runs)); diff != "" || total != c.total {
				t.Errorf("%s: total %d\n%s", name, total, diff)
			}
			for _, one := range runs {
				if one.Definition != nil {
					t.Errorf("%s: a listed run carries its definition", name)
				}
				if one.ID == ids[3] && !cmp.Equal(&manifest, one.Manifest, cmpopts.EquateEmpty()) {
					t.Errorf("%s: a listed run lacks what its numbers are made of: %+v", name, one.Manifest)
				}
			}
		}
		active, err := r.Active(ctx)
		must(t, err)
		if diff := cmp.Diff([]int64{ids[0], ids[1], ids[2], ids[4]}, idsOf(active)); diff != "" {
			t.Error(diff)
		}
		if string(active[0].Definition) != "{}" {
			t.Error("an active run has no definition")
		}
	})
}

func idsOf(runs []run.Run) (ids []int64) {
	for _, one := range runs {
		ids = append(ids, one.ID)
	}
	return ids
}

func TestARepeatedKeyReturnsTheFirstRun(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, r *registry.Registry) {
		var created atomic.Int64
		ids := make(chan int64, 6)
		var tasks []func(context.Context) error
		for range 6 {
			tasks = append(tasks, func(ctx context.Context) error {
				one, existing, err := r.Create(ctx, registry.NewRun{IdempotencyKey: "k"})
				if err == nil && !existing {
					created.Add(1)
				}
				ids <- one.ID
				return err
			})
		}
		must(t, lifecycle.Parallel(t.Context(), tasks...))
		first := <-ids
		for range 5 {
			if id := <-ids; id != first {
				t.Errorf("runs %d and %d", first, id)
			}
		}
		if created.Load() != 1 {
			t.Errorf("%d runs were created", created.Load())
		}
		other, existing, err := registry.New(db, "other").Create(t.Context(), registry.NewRun{IdempotencyKey: "k"})
		if err != nil || existing || other.ID == first {
			t.Errorf("another namespace: %d %v %v", other.ID, existing, err)
		}
	})
}

func TestOneRetryClaimsARun(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, _ *database.DB, r *registry.Registry) {
		ctx := t.Context()
		parent := create(t, r, registry.NewRun{})
		var lost atomic.Int64
		won := make(chan int64, 4)
		var tasks []func(context.Context) error
		for i := range 4 {
			tasks = append(tasks, func(ctx context.Context) error {
				retry, _, err := r.Create(ctx, registry.NewRun{Parent: parent.ID, Claim: true, Force: i%2 == 0})
				var claimed *registry.Claimed
				if errors.As(err, &claimed) {
					if !claimed.Active {
						return claimed
					}
					lost.Add(1)
					return nil
				}
				won <- retry.ID
				return err
			})
		}
		must(t, lifecycle.Parallel(ctx, tasks...))
		winner := <-won
		if lost.Load() != 3 || get(t, r, parent.ID).RetriedBy != winner {
			t.Errorf("%d lost; the parent names %d, the winner is %d", lost.Load(), get(t, r, parent.ID).RetriedBy, winner)
		}
		if _, total, err := r.List(ctx, registry.Filter{}); total != 2 || err != nil {
			t.Errorf("%d runs: the losers left something (%v)", total, err)
		}
		_, _, err := r.Cancel(ctx, winner)
		must(t, err)
		_, err = r.Finish(ctx, winner, run.Cancelled, run.Final{}, at(3))
		must(t, err)
		_, _, err = r.Create(ctx, registry.NewRun{Parent: parent.ID, Claim: true})
		var claimed *registry.Claimed
		if !errors.As(err, &claimed) || claimed.Active || claimed.By != winner {
			t.Errorf("a second retry: %v", err)
		}
		forced := create(t, r, registry.NewRun{Parent: parent.ID, Claim: true, Force: true})
		dry := create(t, r, registry.NewRun{Parent: parent.ID, DryRun: true})
		if got := get(t, r, parent.ID).RetriedBy; got != forced.ID || dry.Parent != parent.ID {
			t.Errorf("the parent names %d, the newest real retry is %d", got, forced.ID)
		}
	})
}
