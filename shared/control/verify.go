package control

import (
	"context"
	"fmt"

	"ingest/shared/ledger"
	"ingest/shared/redisstore"
	"ingest/shared/run"
)

// Verify recomputes a run's numbers from the outcomes in the ledger and compares them with the heads, the registry
// and Redis, where that knows the run. A difference is a problem, not an error; an error means that the proof could not
// be made. A run that ended before its first chunk has no sources.
func (c *Control) Verify(ctx context.Context, id int64) (Verification, error) {
	r, err := c.get(ctx, id)
	if err != nil {
		return Verification{}, err
	}
	out := Verification{
		ID: id, Status: r.Status, Sources: []VerifiedSource{}, Problems: []string{}, Errors: []run.MessageCount{},
	}
	if r.Manifest == nil {
		// Nothing was written, and the ledger knows nothing of the run.
		if r.Final != nil {
			out.balance(r, run.Counts{})
		}
		return out, nil
	}
	db, err := c.databases.Get(r.Connection)
	if err != nil {
		return out, refuse(Invalid, err, "%s", err.Error())
	}
	// Redis is asked first: it may be behind the ledger, never ahead.
	redis := c.counted(ctx, r)
	found, err := ledger.New(db).Verify(ctx, r.UID, r.Manifest.Merge())
	if err != nil {
		return out, c.unavailable(err, "The ledger cannot be read")
	}
	out.Problems = append(out.Problems, found.Problems...)
	out.Chunks, out.Errors = found.Chunks, run.Histogram(found.Errors)
	out.Sources = []VerifiedSource{{"outcomes", found.Outcomes}, {"heads", found.Heads}}
	if r.Final == nil {
		out.Total = found.Outcomes.Processed()
		out.active(redis, found)
	} else {
		out.Sources = append(out.Sources, VerifiedSource{"registry", r.Final.Counts})
		out.balance(r, found.Outcomes)
		out.differences("the registry", found, r.Final.Errors, r.Final.Validation)
		out.ended(redis, r, found)
	}
	for _, source := range out.Sources[1:] {
		if source.Counts != found.Outcomes && (r.Final != nil || source.Source == "heads") {
			out.problem("%s say %+v, the outcomes say %+v", source.Source, source.Counts, found.Outcomes)
		}
	}
	return out, nil
}

// counted is what Redis counts of a run.
type counted struct {
	redisstore.Progress
	errors, validation []run.MessageCount
}

// counted returns nil when Redis does not know the run, or cannot be asked.
func (c *Control) counted(ctx context.Context, r run.Run) *counted {
	progress, known := c.progress(ctx, r)
	if !known {
		return nil
	}
	errors, validation, err := c.redis.Histograms(ctx, r.ID)
	if err != nil {
		return nil
	}
	return &counted{progress, errors, validation}
}

func (v *Verification) problem(format string, args ...any) {
	v.Problems = append(v.Problems, fmt.Sprintf(format, args...))
}

// balance compares the total of a run that has ended with its outcomes.
func (v *Verification) balance(r run.Run, outcomes run.Counts) {
	v.Total = r.Final.Total
	if err := outcomes.Balance(r.Final.Total, r.Final.NotProcessed); err != nil {
		v.problem("the %s", err)
	}
}

// active compares Redis with the outcomes of a run that goes on: each number may be behind.
func (v *Verification) active(redis *counted, found ledger.Verified) {
	if redis == nil {
		return
	}
	v.Total = max(v.Total, total(redis.Progress))
	v.Sources = append(v.Sources, VerifiedSource{"redis", redis.Counts})
	if n := redis.Counts.Processed(); n > found.Outcomes.Processed() {
		v.problem("redis counts %d rows, the outcomes only %d", n, found.Outcomes.Processed())
	}
	var messages int64
	for _, entry := range redis.errors {
		messages += entry.Count
	}
	if messages < redis.Counts.Failed {
		v.problem("redis counts %d failed rows, but the messages of only %d", redis.Counts.Failed, messages)
	}
}

// ended compares Redis with a run that has ended. It is told after the registry, and forgets after a day.
func (v *Verification) ended(redis *counted, r run.Run, found ledger.Verified) {
	if redis == nil || !redis.Status.Terminal() {
		return
	}
	v.Sources = append(v.Sources, VerifiedSource{"redis", redis.Counts})
	if redis.Status != r.Status {
		v.problem("redis says that the run is %s, the registry says %s", redis.Status, r.Status)
	}
	if redis.Total != r.Final.Total {
		v.problem("redis says that there are %d rows, the registry says %d", redis.Total, r.Final.Total)
	}
	v.differences("redis", found, redis.errors, redis.validation)
}

// differences compares the histograms of the outcomes with those of somebody who counts them too.
func (v *Verification) differences(who string, found ledger.Verified, errors, validation []run.MessageCount) {
	for _, both := range []struct {
		outcomes map[string]int64
		theirs   []run.MessageCount
	}{{found.Errors, errors}, {found.Validation, validation}} {
		merged := run.Histogram(both.outcomes)
		if len(merged) != len(both.theirs) {
			v.problem("%s has %d messages, the outcomes have %d", who, len(both.theirs), len(merged))
			continue
		}
		for i, entry := range merged {
			if theirs := both.theirs[i]; theirs != entry {
				v.problem("message %q: %s counts %d, the outcomes %d of %q", theirs.Message, who, theirs.Count, entry.Count, entry.Message)
			}
		}
	}
}
