package rig_test

import (
	"strings"
	"testing"

	"ingest/integration/rig"
)

// right returns books without a problem: two partitions, five rows, two of which failed.
func right() rig.Books {
	errors := []rig.MessageCount{{Message: "a", Count: 1}, {Message: "b", Count: 1}}
	validation := []rig.MessageCount{{Message: "x: b", Count: 2}}
	counts := rig.Counts{Created: 2, Unchanged: 1, Failed: 2}
	b := rig.Books{
		Status: "completed_with_errors",
		Final:  &rig.Final{Total: 5, Counts: counts, Errors: errors, Validation: validation},
		Heads: []rig.Head{
			{Partition: 0, Next: 3, SealedChunks: 2, SealedRows: 3, Counts: rig.Counts{Created: 2, Failed: 1}},
			{Partition: 1, Next: 2, SealedChunks: 1, SealedRows: 2, Counts: rig.Counts{Unchanged: 1, Failed: 1}},
			{Partition: 2, Next: 1, SealedChunks: 0, SealedRows: 0},
		},
		Chunks: []rig.Chunk{
			{Partition: 0, Number: 1, First: 1, Last: 3, Counts: rig.Counts{Created: 2}},
			{Partition: 0, Number: 2, First: 4, Last: 4, Counts: rig.Counts{Failed: 1}, Errors: map[string]int64{"a": 1}},
			{
				Partition: 1, Number: 1, First: 2, Last: 5, Counts: rig.Counts{Unchanged: 1, Failed: 1},
				Errors: map[string]int64{"b": 1}, Validation: map[string]int64{"x: b": 2},
			},
		},
		Shown:  rig.Run{Status: "completed_with_errors", Created: 2, Unchanged: 1, TotalFinal: true},
		Errors: rig.ErrorSummary{TotalFailedRows: 2, ErrorSummary: errors, ValidationSummary: validation},
	}
	b.Shown.Progress.Total, b.Shown.Progress.Processed, b.Shown.Progress.Successful, b.Shown.Progress.Failed = 5, 5, 3, 2
	return b
}

func TestBooks(t *testing.T) {
	t.Parallel()
	if problems := right().Problems(); len(problems) != 0 {
		t.Errorf("right books have problems: %q", problems)
	}
	cases := map[string]struct {
		invariant string
		spoil     func(*rig.Books)
	}{
		"no final numbers":               {"I1", func(b *rig.Books) { b.Final = nil }},
		"a row got lost":                 {"I1", func(b *rig.Books) { b.Final.Total++ }},
		"a negative number":              {"I1", func(b *rig.Books) { b.Final.Counts.Skipped-- }},
		"completed although rows failed": {"I1", func(b *rig.Books) { b.Status = "completed" }},
		"failed without a reason":        {"I1", func(b *rig.Books) { b.Status = "failed" }},
		"not terminal":                   {"I1", func(b *rig.Books) { b.Status = "cancelling" }},
		"a chunk is missing":             {"I2", func(b *rig.Books) { b.Chunks = b.Chunks[1:] }},
		"chunks overlap":                 {"I2", func(b *rig.Books) { b.Chunks[1].First = 3 }},
		"more outcomes than rows":        {"I2", func(b *rig.Books) { b.Chunks[1].Counts.Created = 1 }},
		"the last row is missing":        {"I2", func(b *rig.Books) { b.Chunks[2].Last = 4 }},
		"a row has two outcomes":         {"I2", func(b *rig.Books) { b.Chunks[2].Last, b.Status = 4, "cancelled" }},
		"the registry says otherwise":    {"I4", func(b *rig.Books) { b.Final.Counts.Created, b.Final.Counts.Updated = 1, 1 }},
		"the status says otherwise":      {"I4", func(b *rig.Books) { b.Shown.Created-- }},
		"the total is not final":         {"I4", func(b *rig.Books) { b.Shown.TotalFinal = false }},
		"the progress says otherwise":    {"I4", func(b *rig.Books) { b.Shown.Progress.Processed-- }},
		"a failed row without message":   {"I5", func(b *rig.Books) { b.Chunks[1].Errors = nil }},
		"a message counted twice": {"I5", func(b *rig.Books) {
			b.Errors.ErrorSummary = append(b.Errors.ErrorSummary, rig.MessageCount{Message: "b", Count: 1})
		}},
		"a histogram out of order": {"I5", func(b *rig.Books) {
			b.Final.Errors = []rig.MessageCount{{Message: "b", Count: 1}, {Message: "a", Count: 1}}
		}},
		"failed rows shown wrongly":     {"I5", func(b *rig.Books) { b.Errors.TotalFailedRows = 3 }},
		"a validation message is lost":  {"I5", func(b *rig.Books) { b.Errors.ValidationSummary = nil }},
		"a head behind its chunks":      {"I11", func(b *rig.Books) { b.Heads[0].Next = 2 }},
		"a head with other totals":      {"I11", func(b *rig.Books) { b.Heads[1].Counts.Failed = 0 }},
		"a seal that was not reached":   {"I11", func(b *rig.Books) { b.Heads[2].SealedChunks = 1 }},
		"chunks without a head":         {"I11", func(b *rig.Books) { b.Heads = b.Heads[:1] }},
		"an open head of a stopped run": {"I11", func(b *rig.Books) { b.Status = "cancelled" }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spoiled := right()
			c.spoil(&spoiled)
			problems := spoiled.Problems()
			for _, problem := range problems {
				if strings.HasPrefix(problem, c.invariant+":") {
					return
				}
			}
			t.Errorf("no problem of %s: %q", c.invariant, problems)
		})
	}
}
