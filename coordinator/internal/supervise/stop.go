package supervise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ingest/shared/database"
	"ingest/shared/failpoint"
	"ingest/shared/ledger"
	"ingest/shared/redisstore"
	"ingest/shared/run"
)

// closePatience is how long a chunk transaction in flight may take to end before its session is ended.
const closePatience = 2 * time.Second

// stop ends a run that is cancelled or fails: nothing more is handed out, the heads are closed so that no transaction
// can commit, and only then the status becomes terminal. Rows that were written stay. db may be nil for a run without a
// manifest: it has no heads.
func (s *Supervisor) stop(ctx context.Context, r run.Run, db *database.DB, progress redisstore.Progress) error {
	// A manifest may have been fixed before the run was stopped; after this read none can be.
	r, err := s.Registry.Get(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("read the run: %w", err)
	}
	if r.Manifest != nil && db == nil {
		return nil // the next sweep knows it, too
	}
	ref := redisstore.Ref{ID: r.ID, UID: r.UID}
	if r.Manifest != nil {
		ref.Partitions = r.Manifest.Lanes()
	}
	if err := s.Redis.Stop(ctx, ref, r.Status); err != nil {
		return fmt.Errorf("stop the partitions: %w", err)
	}
	failpoint.Hit("stop.marked")
	progress, busy, err := s.settled(ctx, r, progress)
	if err != nil || busy {
		return err
	}
	final := run.Final{}
	var sealed int64
	if r.Manifest != nil {
		book := ledger.New(db)
		if final.Counts, sealed, err = closed(ctx, book, r); err != nil {
			return err
		}
		if final.Warnings, err = gone(ctx, r, book); err != nil {
			return err
		}
	}
	failpoint.Hit("stop.closed")
	if final.BytesRead = progress.SplitBytes; progress.SplitDone && r.Manifest != nil {
		final.BytesRead = r.Manifest.Fingerprint.Size
	}
	final.Total = max(sealed, progress.SplitRows, final.Counts.Processed())
	final.NotProcessed = final.Total - final.Counts.Processed()
	status := run.Cancelled
	if r.Status != run.Cancelling {
		status = run.Failed
	}
	return s.end(ctx, r, db, status, final)
}

// closed closes every head of the run and returns what they count: outcomes, and rows that were sealed.
func closed(ctx context.Context, book *ledger.Ledger, r run.Run) (counts run.Counts, sealed int64, err error) {
	for p := range r.Manifest.Lanes() {
		if err := closeHead(ctx, book, r.UID, p); err != nil {
			return counts, 0, fmt.Errorf("close partition %d: %w", p, err)
		}
	}
	heads, err := book.Heads(ctx, r.UID)
	if err != nil {
		return counts, 0, fmt.Errorf("read the heads: %w", err)
	}
	for _, head := range heads {
		counts = counts.Add(head.Counts)
		sealed += max(0, head.SealedRows)
	}
	return counts, sealed, nil
}

// closeHead waits a little for the chunk transaction in flight, then ends its session: a COPY that waits for its
// client would otherwise hold the head for ever.
func closeHead(ctx context.Context, book *ledger.Ledger, uid string, partition int) error {
	patient, cancel := context.WithTimeout(ctx, closePatience)
	defer cancel()
	err := book.Close(patient, uid, partition)
	if err == nil || ctx.Err() != nil || !errors.Is(patient.Err(), context.DeadlineExceeded) {
		return err
	}
	if _, err := book.EndSession(ctx, uid, partition); err != nil {
		return fmt.Errorf("end the session of the chunk in flight: %w", err)
	}
	return book.Close(ctx, uid, partition)
}

// settled returns the progress once the split has let go of the run, so that the rows it has read are counted; busy
// while it has not: it wakes the supervisor when it does. A splitter that does not live any more is not waited for, and
// none for longer than its lease lasts: only the number of rows that were read depends on it.
func (s *Supervisor) settled(ctx context.Context, r run.Run, before redisstore.Progress) (redisstore.Progress, bool, error) {
	progress, known, err := s.Redis.Progress(ctx, r.ID)
	if err != nil {
		return before, false, fmt.Errorf("read how far the split came: %w", err)
	}
	if !known || progress.SplitOwner == "" {
		progress.SplitRows = max(progress.SplitRows, before.SplitRows)
		progress.SplitBytes = max(progress.SplitBytes, before.SplitBytes)
		return progress, false, nil
	}
	processes, err := s.Redis.Processes(ctx)
	if err != nil {
		return before, false, fmt.Errorf("ask whether the splitter lives: %w", err)
	}
	busy := slices.ContainsFunc(processes, func(p redisstore.Process) bool { return p.ID == progress.SplitOwner })
	return progress, busy && s.stoppingFor(r.ID) < 2*s.Config.Lease, nil
}

// stoppingFor is for how long this supervisor has been stopping the run.
func (s *Supervisor) stoppingFor(id int64) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping[id].IsZero() {
		s.stopping[id] = s.Now()
	}
	return s.Now().Sub(s.stopping[id])
}
