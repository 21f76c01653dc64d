package supervise

import (
	"cmp"
	"context"
	"fmt"

	"go.uber.org/zap"

	"ingest/coordinator/internal/split"
	"ingest/shared/chunk"
	"ingest/shared/database"
	"ingest/shared/destination"
	"ingest/shared/failpoint"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/redisstore"
	"ingest/shared/run"
)

// finish ends a run whose every sealed chunk took effect, by the ledger; Redis is corrected where it differs.
func (s *Supervisor) finish(ctx context.Context, r run.Run, db *database.DB, progress redisstore.Progress) error {
	book := ledger.New(db)
	heads, err := book.Heads(ctx, r.UID)
	if err != nil {
		return fmt.Errorf("read the heads: %w", err)
	}
	if len(heads) < r.Manifest.Lanes() {
		// The splitter is at it, or the database has lost them: then nothing could take effect any more.
		if err := book.Create(ctx, r.UID, r.Manifest.Lanes()); err != nil {
			return fmt.Errorf("create the heads: %w", err)
		}
		if heads, err = book.Heads(ctx, r.UID); err != nil {
			return fmt.Errorf("read the heads: %w", err)
		}
	}
	if err := s.reconcile(ctx, r, book, heads, progress); err != nil {
		return err
	}
	failpoint.Hit("finish.reconciled")
	var counts run.Counts
	var sealed int64
	for _, head := range heads {
		if head.SealedChunks >= 0 && head.Next == 1 && head.Partition == r.Manifest.Merge() {
			return s.merge(ctx, r, progress)
		}
		if head.SealedChunks < 0 || head.Next-1 != head.SealedChunks {
			return nil
		}
		counts = counts.Add(head.Counts)
		sealed += head.SealedRows
	}
	limits := s.limits(r)
	if r.Manifest.Staged && counts.Failed > 0 {
		return s.fail(ctx, r, cmp.Or(limits.atOnce(counts.Failed), nothingWritten(counts.Failed)))
	}
	if err := counts.Balance(sealed, 0); err != nil {
		return s.fail(ctx, r, "The "+err.Error()+".")
	}
	if reason := limits.atTheEnd(counts.Failed, sealed); reason != "" {
		return s.fail(ctx, r, reason)
	}
	final := run.Final{Total: sealed, Counts: counts, BytesRead: r.Manifest.Fingerprint.Size}
	if final.Warnings, err = gone(ctx, r, book); err != nil {
		return err
	}
	status := run.Completed
	if counts.Failed > 0 {
		status = run.CompletedWithErrors
	}
	return s.end(ctx, r, db, status, final)
}

// end writes the final numbers and the terminal status, then tells Redis. Who loses the compare-and-set has nothing
// more to do: another supervisor ended the run, or a cancel came first.
func (s *Supervisor) end(ctx context.Context, r run.Run, db *database.DB, status run.Status, final run.Final) error {
	var errors, validation map[string]int64
	var err error
	if r.Manifest != nil {
		if errors, validation, err = ledger.New(db).Histograms(ctx, r.UID); err != nil {
			return fmt.Errorf("merge the histograms: %w", err)
		}
	}
	final.Errors, final.Validation = run.Histogram(errors), run.Histogram(validation)
	if r.DryRun && db != nil {
		// Made before the manifest was fixed: a run that failed in between has them, too.
		switch err := destination.Drop(ctx, db, split.Scratch(r)); {
		case database.Fatal(err):
			// Nobody can be waited for: a run ends even if what it made has to stay.
			final.Warnings = append(final.Warnings, "The tables that the dry run made (ingest_dry_…) could not be removed. "+database.Explain(err).Reason())
		case err != nil:
			return fmt.Errorf("drop the dry run's tables: %w", err)
		}
		if err := ledger.New(db).EndRehearsal(ctx, r.UID); err != nil {
			return err
		}
	}
	if r.Manifest != nil && r.Manifest.Staged {
		if err := ledger.New(db).EndStaging(ctx, r.UID); err != nil {
			return err
		}
	}
	failpoint.Hit("finish.merged")
	won, err := s.Registry.Finish(ctx, r.ID, status, final, s.Now())
	if err != nil {
		return fmt.Errorf("write the final numbers: %w", err)
	}
	if !won {
		return s.Redis.Wake(ctx, redisstore.Runs)
	}
	failpoint.Hit("finish.registered")
	s.Metrics.RunEnded(status)
	s.Log.Info("run ended", zap.Int64("run", r.ID), zap.String("status", string(status)),
		zap.Int64("rows", final.Total), zap.Int64("failed", final.Counts.Failed))
	if r.Origin.Spooled && status == run.Completed {
		if err := s.Spool.Remove(r.Origin.Path); err != nil {
			s.Log.Warn("the spooled source was not removed", zap.Int64("run", r.ID), zap.Error(err))
		}
	}
	r.Final = &final
	return s.tell(ctx, r, status)
}

// tell publishes the end of a run and takes it from Redis. It may happen more than once, the event's id is fixed.
func (s *Supervisor) tell(ctx context.Context, r run.Run, status run.Status) error {
	id := fmt.Sprintf("%d-%s", r.ID, status)
	fields := map[string]string{"run": fmt.Sprint(r.ID), "importer": r.Importer, "status": string(status)}
	if err := s.Redis.Event(ctx, id, fields); err != nil {
		return fmt.Errorf("publish the end of run %d: %w", r.ID, err)
	}
	failpoint.Hit("finish.published")
	partitions := 0
	if r.Manifest != nil {
		partitions = r.Manifest.Lanes()
	}
	ref := redisstore.Ref{ID: r.ID, UID: r.UID, Partitions: partitions}
	if err := s.Redis.Finish(ctx, ref, status, *r.Final); err != nil {
		return fmt.Errorf("tell Redis that run %d has ended: %w", r.ID, err)
	}
	return nil
}

// reconcile corrects Redis where it differs from the ledger: outcomes it does not know are acknowledged, a partition
// that is ahead of the ledger is put back to its head.
func (s *Supervisor) reconcile(
	ctx context.Context, r run.Run, book *ledger.Ledger, heads []ledger.Head, progress redisstore.Progress,
) error {
	ref := redisstore.Ref{ID: r.ID, UID: r.UID, Partitions: r.Manifest.Lanes()}
	for _, head := range heads {
		state := progress.Partitions[head.Partition]
		switch {
		case state.Acked > head.Next-1, progress.SplitDone && head.SealedChunks < 0:
			// The seal is in the ledger before Redis hears of it: the database has lost commits.
			s.Log.Warn("the ledger is behind Redis: the partition is emitted again",
				zap.Int64("run", r.ID), zap.Int("partition", head.Partition))
			back := redisstore.Head{Acked: head.Next - 1, Sealed: -1, Counts: head.Counts}
			if _, err := s.Redis.Reset(ctx, ref, head.Partition, back); err != nil {
				return fmt.Errorf("reset partition %d: %w", head.Partition, err)
			}
		case state.Acked < head.Next-1 && state.LeaseLeft <= 0:
			if err := s.acknowledge(ctx, ref, book, head.Partition, state); err != nil {
				return err
			}
		}
	}
	return nil
}

// acknowledge acks from the ledger what a dead worker could not.
func (s *Supervisor) acknowledge(
	ctx context.Context, ref redisstore.Ref, book *ledger.Ledger, partition int, state redisstore.PartitionState,
) error {
	totals := state.Counts
	return book.Outcomes(ctx, ref.UID, partition, state.Acked+1, func(n int64, outcome chunk.Outcome) error {
		totals = totals.Add(outcome.Counts)
		_, _, err := s.Redis.Ack(ctx, ref, redisstore.Ack{
			Partition: partition, Number: n, Totals: totals, Errors: outcome.Errors, Validation: outcome.Validation,
		})
		if err != nil {
			return fmt.Errorf("acknowledge chunk %d of partition %d from the ledger: %w", n, partition, err)
		}
		return nil
	})
}

// limits are how many rows may fail.
type limits struct {
	rows  int64
	ratio float64
}

func (s *Supervisor) limits(r run.Run) limits {
	l := limits{rows: s.Config.MaxFailedRows, ratio: s.Config.MaxFailedRatio}
	definition, err := importer.FromSnapshot(r.Definition)
	if err != nil {
		return l
	}
	if definition.MaxFailedRows != nil {
		l.rows = *definition.MaxFailedRows
	}
	if definition.MaxFailedRatio != nil {
		l.ratio = *definition.MaxFailedRatio
	}
	return l
}

func (l limits) atOnce(failed int64) string {
	if failed <= l.rows {
		return ""
	}
	return fmt.Sprintf("More than %d rows failed (max_failed_rows).", l.rows)
}

// atTheEnd judges the ratio against the final total, so that the status never depends on timing.
func (l limits) atTheEnd(failed, total int64) string {
	if reason := l.atOnce(failed); reason != "" {
		return reason
	}
	if l.ratio > 0 && total > 0 && float64(failed)/float64(total) > l.ratio {
		return fmt.Sprintf("More than %g of the rows failed (max_failed_ratio).", l.ratio)
	}
	return ""
}
