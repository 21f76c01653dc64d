package destination

import (
	"context"

	"ingest/shared/column"
)

// rewritable says that rows of the table can be overwritten without being looked at first: one statement for each row, or for
// many, is the same to it. A trigger would be asked once more about a row that it leaves out.
func rewritable(t column.Table) bool {
	return !refusing(t, "trigger ", "a rule ")
}

// rewrite overwrites items whose keys are probably in the table with other values, and returns those that are still to be
// looked at: what was not there, what does not differ, and all of a statement that was refused.
func (s *session) rewrite(ctx context.Context, items []*item) ([]*item, error) {
	if !s.rewrites || s.alone || s.suspicious.Load() || !s.changing.Load() {
		return items, nil
	}
	var rest []*item
	var all groups
	for _, it := range items {
		if it.id == "" || len(it.follow) > 0 || s.again[it.row] || len(it.shape.changes) == 0 {
			rest = append(rest, it)
			continue
		}
		it.hoped = true
		all.add(it.shape, update, it)
	}
	written := 0
	for _, group := range all {
		cause := s.store.update(ctx, group.items)
		if cause != nil {
			if _, _, err := s.refused(ctx, group.items, cause); err != nil {
				return nil, err
			}
		}
		for _, it := range group.items {
			left := cause != nil || it.gone
			it.hoped, it.gone = false, false
			if left {
				rest = append(rest, it)
				continue
			}
			it.exists, it.differs = true, true
			s.resolve(it)
			s.finish(it)
			written++
		}
	}
	s.expect(written, len(items))
	return rest, nil
}

// expect notes whether most items of a round are overwritten, so that the next ones probably are, too. What is left of a chunk
// for later rounds says nothing about the next one.
func (s *session) expect(updates, items int) {
	if 2*items > len(s.rows) {
		s.changing.Store(2*updates > items)
	}
}

func updatesIn(writes []*item) (n int) {
	for _, it := range writes {
		if it.op == update {
			n++
		}
	}
	return n
}
