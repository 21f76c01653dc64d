package supervise

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/redisstore"
	"ingest/shared/run"
)

// merge emits the chunk that merges what is staged, unless Redis has it: all other partitions are complete in the ledger,
// and the heads come in order, the merge's last. The chunk has no rows of its own.
func (s *Supervisor) merge(ctx context.Context, r run.Run, progress redisstore.Progress) error {
	partition := r.Manifest.Merge()
	if lane := progress.Partitions[partition]; max(lane.Emitted, lane.Acked) > 0 {
		return nil
	}
	ref := redisstore.Ref{ID: r.ID, UID: r.UID, Partitions: r.Manifest.Lanes()}
	code, _, err := s.Redis.Emit(ctx, ref, redisstore.Emission{
		Partition: partition, Number: 1, Payload: []byte("merge"), Limit: int64(s.Config.InFlight),
	})
	if err != nil {
		return fmt.Errorf("emit the merge: %w", err)
	}
	if code == redisstore.OK {
		s.Log.Info("all rows are staged, the merge begins", zap.Int64("run", r.ID))
	}
	return nil // what is in the way now is looked at in the next sweep
}

func nothingWritten(failed int64) string {
	rows := "1 row"
	if failed != 1 {
		rows = fmt.Sprintf("%d rows", failed)
	}
	return rows + " failed, and with `transaction: run` nothing is written."
}

// gone says what became of the rows of the table that the file no longer has.
func gone(ctx context.Context, r run.Run, book *ledger.Ledger) ([]string, error) {
	definition, err := importer.FromSnapshot(r.Definition)
	if err != nil || definition.Missing == nil || !r.Manifest.Staged {
		return nil, err
	}
	merged, _, _, err := book.Applied(ctx, r.UID, r.Manifest.Merge(), 1)
	if err != nil || merged.Missing == 0 {
		return nil, err
	}
	what := "deleted"
	if len(definition.Missing.Set) > 0 {
		what = "set"
	}
	if merged.Missing == 1 {
		return []string{"1 row that the file no longer has was " + what + "."}, nil
	}
	return []string{fmt.Sprintf("%d rows that the file no longer has were %s.", merged.Missing, what)}, nil
}
