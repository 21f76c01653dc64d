package apply_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ingest/shared/chunk"
	"ingest/shared/row"
)

// merged imports a script's file as a whole: its rows are staged by several partitions, then merged.
func (th *theatre) merged(t tester, s *script, partitions int, dry bool) ending {
	t.Helper()
	job, uid := th.prepare(t, s, dry, partitions, true)
	e := ending{messages: map[int64]string{}}
	apply := func(partition int, n int64, payload []byte) {
		result, err := job.Apply(t.Context(), partition, n, payload, nil)
		if err != nil {
			t.Fatalf("chunk %d of partition %d: %v\n%s", n, partition, err, s.text(th.dialect()))
		}
		e.counts = e.counts.Add(result.Outcome.Counts)
		for _, logged := range result.Outcome.Logged {
			e.messages[logged.Row.Number] = logged.Message
		}
	}
	builders := make([]chunk.Builder, partitions)
	chunks, rows := slices.Repeat([]int64{0}, partitions), slices.Repeat([]int64{0}, partitions)
	emit := func(p int) {
		chunks[p]++
		apply(p, chunks[p], builders[p].Payload())
		builders[p].Reset()
	}
	for i, cells := range s.rows {
		p := i * i % partitions // not a row here and a row there
		builders[p].Append(row.Row{Number: int64(i + 1), Line: int64(i + 2), Cells: cells})
		if rows[p]++; builders[p].Rows() == s.size {
			emit(p)
		}
	}
	for p := range builders {
		if builders[p].Rows() > 0 {
			emit(p)
		}
	}
	if err := th.book.Seal(t.Context(), uid, append(chunks, 1), append(rows, 0)); err != nil {
		t.Fatal(err)
	}
	apply(partitions, 1, nil)
	e.tables = th.dump(t, s)
	verified, err := th.book.Verify(t.Context(), uid, partitions)
	if err != nil || len(verified.Problems) > 0 {
		t.Fatalf("%v: %v\n%s", verified.Problems, err, s.text(th.dialect()))
	}
	return e
}

// TestAMergeGivesWhatRowsGive one after the other, if none of them fails: the same tables, the same counts. If one fails the
// tables are untouched, and the messages are those of all rows that fail one after the other. A dry run says the same.
func TestAMergeGivesWhatRowsGive(t *testing.T) {
	t.Parallel()
	for name, url := range urls(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			th := openTheatre(t, url)
			random(t, name, func(t *rapid.T) {
				s := drawScript(t, name == "sqlite")
				s.whole = false
				partitions := rapid.IntRange(1, 3).Draw(t, "partitions")
				untouched := s.twin().w.dump(s)
				one := th.play(t, s, s.size, false)
				all := th.merged(t, s, partitions, false)
				want := one
				if one.counts.Failed > 0 {
					want.tables, want.counts = untouched, all.counts
					want.counts.Created, want.counts.Updated, want.counts.Unchanged, want.counts.Failed = 0, 0, 0, one.counts.Failed
				}
				if want.counts != all.counts || want.tables != all.tables || !maps.Equal(want.messages, all.messages) {
					t.Fatalf("%s\n\none after the other\n%s\n\nas a whole\n%s", s.text(th.dialect()), want, all)
				}
				dry := th.merged(t, s, partitions, true)
				if dry.tables != untouched {
					t.Fatalf("%s\n\nthe dry run leaves\n%s\n\nbefore it there was\n%s", s.text(th.dialect()), dry.tables, untouched)
				}
				if dry.tables = all.tables; dry.String() != all.String() {
					t.Fatalf("%s\n\nthe dry run says\n%s\n\nthe real run\n%s", s.text(th.dialect()), dry, all)
				}
			})
		})
	}
}
