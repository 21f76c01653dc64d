package supervise

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"ingest/shared/run"
)

const (
	// cleanEvery is how often the spool is looked through, first when the coordinator starts.
	cleanEvery = time.Hour
	// halfWritten is how old a file is, still being written, whose writer was killed: an upload has to make progress.
	halfWritten = time.Hour
	// leftOver is how old a stored file is that nobody can be about to begin a run with.
	leftOver = 24 * time.Hour
)

// clean deletes what killed processes left in the spool: files that were never finished, and stored ones that no run of
// the registry names, of whatever namespace. A file belongs to a run by its name, which is random: the way to the spool
// may have changed.
func (s *Supervisor) clean(ctx context.Context) error {
	now := s.Now()
	if err := s.Spool.Sweep(now.Add(-halfWritten)); err != nil {
		return err
	}
	stored, err := s.Spool.Stored(now.Add(-leftOver))
	if err != nil || len(stored) == 0 {
		return err
	}
	named := map[string]bool{}
	if err := s.Registry.Sources(ctx, func(o run.Origin) { named[filepath.Base(o.Path)] = true }); err != nil {
		return err
	}
	var all error
	for _, path := range stored {
		if named[filepath.Base(path)] {
			continue
		}
		err := s.Spool.Remove(path)
		if err == nil {
			s.Log.Info("a spooled file that no run names was removed", zap.String("file", filepath.Base(path)))
		}
		all = errors.Join(all, err)
	}
	return all
}
