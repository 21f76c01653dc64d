package redisstore

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"ingest/shared/run"
)

// keep is how long Redis keeps an ended run, so that late calls read Gone.
const keep = 24 * time.Hour

// Ref names a run: the keys by its id, its identity by its uid. Partitions is what the manifest says, 0 without one.
type Ref struct {
	ID         int64
	UID        string
	Partitions int
}

// State is what Redis has to know of a run.
type State struct {
	Ref
	Status               run.Status
	Definition, Manifest []byte
	DryRun               bool
	// Heads are the partitions; there must be as many as Ref.Partitions.
	Heads []Head
	// Errors and Validation are the histograms so far.
	Errors, Validation map[string]int64
	// Total is the number of rows if SplitDone.
	Total     int64
	SplitDone bool
}

// Head is how far the ledger says that a partition is.
type Head struct {
	// Acked is the last chunk that took effect: the head's next chunk less one.
	Acked int64
	// Sealed is the number of chunks, -1 while it is not known.
	Sealed int64
	Counts run.Counts
}

// Restore makes a run Redis does not know, active and with all its partitions. It is a no-op for a run that is there
// with this uid and at least as many partitions; fewer (none, before the manifest) are added at once. What Redis holds
// of another uid under this id is deleted first. created says whether anything was made; an ended run is not.
func (s *Store) Restore(ctx context.Context, st State) (created bool, err error) {
	if len(st.Heads) != st.Partitions {
		return false, fmt.Errorf("restore run %d: %d heads for %d partitions", st.ID, len(st.Heads), st.Partitions)
	}
	if err := s.activate(ctx, st.ID); err != nil {
		return false, fmt.Errorf("restore run %d: %w", st.ID, err)
	}
	code, err := s.restore(ctx, st)
	if err == nil && code == Other {
		if err = s.Forget(ctx, st.ID); err == nil {
			code, err = s.restore(ctx, st)
		}
	}
	switch {
	case err != nil:
		return false, fmt.Errorf("restore run %d: %w", st.ID, err)
	case code == Finished:
		return false, s.retire(ctx, st.ID)
	case code == Other:
		return false, fmt.Errorf("restore run %d: its keys belong to another run", st.ID)
	}
	// Again: another process may have forgotten the run in between.
	if err := s.activate(ctx, st.ID); err != nil {
		return false, fmt.Errorf("restore run %d: %w", st.ID, err)
	}
	return code == Created, nil
}

func (s *Store) restore(ctx context.Context, st State) (Code, error) {
	errors, validation := capped(st.Errors), capped(st.Validation)
	args := []any{
		st.UID, string(st.Status), st.Definition, st.Manifest, flag(st.DryRun), st.Partitions, flag(st.SplitDone),
		st.Total, len(errors), len(validation),
	}
	for _, h := range st.Heads {
		args = append(args, h.Acked, h.Sealed)
		args = append(args, countArgs(h.Counts)...)
	}
	args = append(append(args, messageArgs(errors)...), messageArgs(validation)...)
	code, _, err := s.run(ctx, s.scripts.restore, s.keys.all(st.ID, st.Partitions), args...)
	return code, err
}

func (s *Store) activate(ctx context.Context, id int64) error {
	return s.client.ZAdd(ctx, s.keys.active(), redis.Z{Score: float64(id), Member: id}).Err()
}

func (s *Store) retire(ctx context.Context, id int64) error {
	if err := s.client.ZRem(ctx, s.keys.active(), id).Err(); err != nil {
		return fmt.Errorf("take run %d from the active ones: %w", id, err)
	}
	return nil
}

// Active returns the ids of the runs that are not terminal, ascending.
func (s *Store) Active(ctx context.Context) ([]int64, error) {
	members, err := s.client.ZRange(ctx, s.keys.active(), 0, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("list the active runs: %w", err)
	}
	ids, err := numbers(members, len(members))
	if err != nil {
		return nil, fmt.Errorf("list the active runs: %w", err)
	}
	return ids, nil
}

// Definition returns what a worker needs of a run: Ref, Status, Definition, Manifest, DryRun. The rest is empty. false
// means that Redis does not know the run, or that it has ended.
func (s *Store) Definition(ctx context.Context, id int64) (State, bool, error) {
	values, err := s.client.HMGet(ctx, s.keys.run(id),
		"uid", "partitions", "finished", "status", "definition", "manifest", "dry_run").Result()
	if err != nil {
		return State{}, false, fmt.Errorf("read run %d: %w", id, err)
	}
	f := fields{values: values}
	if !f.has(0) || f.has(2) {
		return State{}, false, nil
	}
	st := State{
		Ref: Ref{ID: id, UID: f.text(0), Partitions: int(f.number(1))}, Status: run.Status(f.text(3)),
		DryRun: f.text(6) == "1",
	}
	if f.has(4) && f.text(4) != "" {
		st.Definition = []byte(f.text(4))
	}
	if f.has(5) && f.text(5) != "" {
		st.Manifest = []byte(f.text(5))
	}
	if f.err != nil {
		return State{}, false, fmt.Errorf("read run %d: %w", id, f.err)
	}
	return st, true, nil
}

// SetStatus copies a status that is not terminal; unknown runs are left alone.
func (s *Store) SetStatus(ctx context.Context, ref Ref, status run.Status) error {
	return s.note(ctx, ref, "status", string(status))
}

// SetWaiting says what the run waits for, "" that it does not. since counts only when it did not wait before: several
// processes may say what the same run waits for, again and again. The zero time says that it does not matter since
// when. Unknown runs are left alone.
func (s *Store) SetWaiting(ctx context.Context, ref Ref, text string, since time.Time) error {
	if text == "" || since.IsZero() {
		return s.note(ctx, ref, "waiting", text, "waiting_since", "")
	}
	return s.note(ctx, ref, "waiting", text, "waiting_since", since.UnixMilli())
}

func (s *Store) note(ctx context.Context, ref Ref, pairs ...any) error {
	_, _, err := s.run(ctx, s.scripts.note, []string{s.keys.run(ref.ID)}, append([]any{ref.UID}, pairs...)...)
	if err != nil {
		return fmt.Errorf("note the state of run %d: %w", ref.ID, err)
	}
	return nil
}

// Fail notes why a run cannot go on and wakes coordinators; the first reason stays. Nothing more of it is emitted or
// handed out. Unknown runs are left alone.
func (s *Store) Fail(ctx context.Context, ref Ref, reason string) error {
	_, _, err := s.run(ctx, s.scripts.fail, []string{s.keys.run(ref.ID)}, ref.UID, reason, s.keys.wake(Runs))
	if err != nil {
		return fmt.Errorf("note why run %d fails: %w", ref.ID, err)
	}
	return nil
}

// Stop marks the run as stopping: nothing more is emitted or handed out, acknowledgements still count. Unknown runs
// are left alone.
func (s *Store) Stop(ctx context.Context, ref Ref, status run.Status) error {
	if _, _, err := s.run(ctx, s.scripts.stop, []string{s.keys.run(ref.ID)}, ref.UID, string(status)); err != nil {
		return fmt.Errorf("stop run %d: %w", ref.ID, err)
	}
	return nil
}

// Finish ends the run: streams and partitions are deleted, its hash and histograms kept for a day, with the final
// numbers, and who waits for an end is woken. The first status stays. Unknown runs are left alone, but are not active any more.
func (s *Store) Finish(ctx context.Context, ref Ref, status run.Status, final run.Final) error {
	args := append([]any{ref.UID, string(status), int64(keep.Seconds())}, countArgs(final.Counts)...)
	args = append(args, final.Total, s.keys.wake(Ended), len(final.Errors), len(final.Validation))
	args = append(append(args, messageArgs(final.Errors)...), messageArgs(final.Validation)...)
	count, _, err := s.known(ctx, ref.ID)
	if err == nil {
		_, _, err = s.run(ctx, s.scripts.finish, s.keys.all(ref.ID, max(count, ref.Partitions)), args...)
	}
	if err != nil {
		return fmt.Errorf("finish run %d: %w", ref.ID, err)
	}
	return s.retire(ctx, ref.ID)
}

// Forget deletes every key of the run, whatever its uid.
func (s *Store) Forget(ctx context.Context, id int64) error {
	count, uid, err := s.known(ctx, id)
	if err == nil {
		_, _, err = s.run(ctx, s.scripts.forget, s.keys.all(id, count), uid)
	}
	if err != nil {
		return fmt.Errorf("forget run %d: %w", id, err)
	}
	return s.retire(ctx, id)
}

// known asks how many partitions Redis has of the run, and whose they are.
func (s *Store) known(ctx context.Context, id int64) (int, string, error) {
	values, err := s.client.HMGet(ctx, s.keys.run(id), "partitions", "uid").Result()
	if err != nil {
		return 0, "", err
	}
	f := fields{values: values}
	return int(f.number(0)), f.text(1), f.err
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func countArgs(c run.Counts) []any {
	return []any{c.Created, c.Updated, c.Unchanged, c.Skipped, c.Failed}
}
