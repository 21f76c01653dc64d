package control

import (
	"context"
	"fmt"

	"ingest/shared/ledger"
	"ingest/shared/run"
)

// Verify recomputes a run's numbers from the outcomes in the ledger and compares them with the heads, the registry
// and Redis. A difference is a problem, not an error; an error means that the proof could not be made.
func (c *Control) Verify(ctx context.Context, id int64) (Verification, error) {
	r, err := c.get(ctx, id)
	if err != nil {
		return Verification{}, err
	}
	out := Verification{
		ID: id, Status: r.Status, Sources: []VerifiedSource{}, Problems: []string{}, Errors: []run.MessageCount{},
	}
	if r.Manifest == nil {
		return out, nil
	}
	db, err := c.databases.Get(r.Connection)
	if err != nil {
		return out, refuse(Invalid, err, "%s", err.Error())
	}
	// Redis is asked first: it may be behind the ledger, never ahead.
	progress, known := c.progress(ctx, r)
	found, err := ledger.New(db).Verify(ctx, r.UID)
	if err != nil {
		return out, c.unavailable(err, "The ledger cannot be read")
	}
	out.Problems = append(out.Problems, found.Problems...)
	out.Chunks, out.Errors = found.Chunks, run.Histogram(found.Errors)
	out.Sources = []VerifiedSource{{"outcomes", found.Outcomes}, {"heads", found.Heads}}
	if r.Final != nil {
		out.Total = r.Final.Total
		out.Sources = append(out.Sources, VerifiedSource{"registry", r.Final.Counts})
		if err := found.Outcomes.Balance(r.Final.Total, r.Final.NotProcessed); err != nil {
			out.Problems = append(out.Problems, "the "+err.Error())
		}
		out.Problems = append(out.Problems, differences(found.Errors, r.Final.Errors)...)
		out.Problems = append(out.Problems, differences(found.Validation, r.Final.Validation)...)
	} else {
		out.Total = found.Outcomes.Processed()
	}
	if known && r.Final == nil {
		out.Total = max(out.Total, total(progress))
		out.Sources = append(out.Sources, VerifiedSource{"redis", progress.Counts})
		if progress.Counts.Processed() > found.Outcomes.Processed() {
			out.Problems = append(out.Problems, fmt.Sprintf("redis counts %d rows, the outcomes only %d",
				progress.Counts.Processed(), found.Outcomes.Processed()))
		}
	}
	for _, source := range out.Sources[1:] {
		if source.Counts != found.Outcomes && (r.Final != nil || source.Source == "heads") {
			out.Problems = append(out.Problems, fmt.Sprintf("%s say %+v, the outcomes say %+v",
				source.Source, source.Counts, found.Outcomes))
		}
	}
	return out, nil
}

// differences compares the histogram of the outcomes with the registry's.
func differences(outcomes map[string]int64, registry []run.MessageCount) []string {
	var problems []string
	merged := run.Histogram(outcomes)
	if len(merged) != len(registry) {
		return []string{fmt.Sprintf("the registry has %d messages, the outcomes have %d", len(registry), len(merged))}
	}
	for i, entry := range merged {
		if registry[i] != entry {
			problems = append(problems, fmt.Sprintf("message %q: the registry counts %d, the outcomes %d of %q",
				registry[i].Message, registry[i].Count, entry.Count, entry.Message))
		}
	}
	return problems
}
