package apply_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ingest/shared/chunk"
	"ingest/shared/lifecycle"
	"ingest/shared/row"
	"ingest/shared/run"
	"ingest/worker/internal/apply"
)

// lane applies the rows of one partition, as a worker does: what is transient is tried again.
func lane(ctx context.Context, job *apply.Job, partition, size int, rows []row.Row) (counts run.Counts, err error) {
	n := int64(0)
	for part := range slices.Chunk(rows, size) {
		var b chunk.Builder
		for _, in := range part {
			b.Append(in)
		}
		n++
		for {
			result, err := job.Apply(ctx, partition, n, b.Payload(), nil)
			if apply.Again(err) && ctx.Err() == nil {
				continue
			}
			if err != nil {
				return counts, fmt.Errorf("chunk %d of partition %d: %w", n, partition, err)
			}
			counts = counts.Add(result.Outcome.Counts)
			break
		}
	}
	return counts, nil
}

// TestLanesThatCreateTheSame: partitions that are written at the same time and name the same new rows of other tables, each
// in its own order, leave what one partition leaves.
func TestLanesThatCreateTheSame(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postgres", "mariadb"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			createTheSame(t, openTheatre(t, urls(t)[name]), name)
		})
	}
}

func createTheSame(t *testing.T, th *theatre, name string) {
	t.Helper()
	random(t, name, func(t *rapid.T) {
		d := drawn{t}
		s := &script{size: 1 + d.below("size", 6)}
		s.table, s.key, s.onDuplicate = "products", []string{"sku"}, d.of("strategy", "update", "skip", "fail")
		s.fields = [][2]string{{"sku", "sku"}, {"name", "name"}, {"stock", "stock"}}
		s.relations = []relationSpec{
			{from: "category", to: "category_id", table: "categories", match: "name", create: true, missing: "fail"},
			{from: "kind", to: "kind_id", table: "categories", match: "name", create: true, missing: "null"},
			{from: "tags", table: "tags", match: "name", pivot: "product_tag", create: true, missing: "fail", replace: d.yes("replace")},
		}
		s.nested = &nestedSpec{
			from: "items", table: "items", parent: "product_id", key: []string{"sku"}, fields: [][2]string{{"sku", "sku"}, {"qty", "qty"}},
			relations: []relationSpec{{from: "tag", to: "tag_id", table: "tags", match: "name", create: true, missing: "fail"}},
		}
		s.header = []string{"sku", "name", "stock", "category", "kind", "tags", "items"}
		d.schema(s, false)
		for i := range s.tables {
			if name := s.tables[i].name; name == "products" || name == "items" {
				s.tables[i].unique = s.tables[i].unique[:1] // no other index in which rows could meet
			}
		}
		var rows []row.Row
		for n := range 8 + d.below("rows", 24) {
			cells := []string{
				d.of("sku", "k", "l", "m", "n", "o", "p"), d.of("name", "a", "b", "b", "b", "bad"), d.of("stock", "2", "3", "3", "1"),
				d.of("category", "x", "u", "v", "w", "bad"), d.of("kind", "u", "v", "w", "", "x"),
				d.of("tags", "u,v", "w,v", "v,u,x", "w", "", "bad", "y"), d.of("items", "", "[]") + d.objects(),
			}
			if cells[6][0:2] == "[]" {
				cells[6] = "[]"
			}
			s.rows = append(s.rows, cells)
			rows = append(rows, row.Row{Number: int64(n + 1), Line: int64(n + 2), Cells: cells})
		}
		alone := th.play(t, s, s.size, false)
		lanes := 2 + 2*d.below("lanes", 2)
		job, _ := th.prepare(t, s, false, lanes, false)
		parts, counts := make([][]row.Row, lanes), make([]run.Counts, lanes)
		for _, in := range rows {
			at := int(in.Cells[0][0]) % lanes
			parts[at] = append(parts[at], in)
		}
		var tasks []func(context.Context) error
		for at := range lanes {
			tasks = append(tasks, func(ctx context.Context) (err error) {
				counts[at], err = lane(ctx, job, at, s.size, parts[at])
				return err
			})
		}
		if err := lifecycle.Parallel(t.Context(), tasks...); err != nil {
			t.Fatalf("%d lanes: %v\n%s", lanes, err, s.text(th.dialect()))
		}
		var sum run.Counts
		for _, some := range counts {
			sum = sum.Add(some)
		}
		if left := th.dump(t, s); left != alone.tables || sum != alone.counts {
			t.Fatalf("%s\n\n%d lanes: %+v\n%s\n\none: %s", s.text(th.dialect()), lanes, sum, left, alone)
		}
	})
}
