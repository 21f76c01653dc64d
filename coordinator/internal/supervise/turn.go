package supervise

import (
	"context"
	"fmt"
	"strings"
	"time"

	"ingest/shared/importer"
	"ingest/shared/redisstore"
	"ingest/shared/run"
)

// behind is how what a run waits for begins while others of its importer have to end first.
const behind = "Waiting: run #"

// turn says whether a run may begin. One of an importer with `overlap: wait` begins when all that were created before it
// are over; until then it says which it waits for. told is what it says now.
func (s *Supervisor) turn(ctx context.Context, r run.Run, told string) (bool, error) {
	if r.Status != run.Pending || r.DryRun {
		return true, nil
	}
	definition, err := importer.FromSnapshot(r.Definition)
	if err != nil {
		return false, err
	}
	if definition.Overlap != importer.OverlapWait {
		return true, nil
	}
	before, waits, err := s.Registry.Before(ctx, r)
	if err != nil {
		return false, err
	}
	text := ""
	if waits {
		text = fmt.Sprintf(behind+"%d of the same importer is not finished.", before)
	}
	if text == told || text == "" && !strings.HasPrefix(told, behind) {
		return !waits, nil
	}
	return !waits, s.Redis.SetWaiting(ctx, redisstore.Ref{ID: r.ID, UID: r.UID}, text, time.Time{})
}
