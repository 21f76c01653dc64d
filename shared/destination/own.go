package destination

import (
	"context"

	"ingest/shared/column"
)

// asks says that only the insert itself can tell the item's own value: no row brings it, and no key finds it again.
func (s *session) asks(it *item) bool {
	return s.Own != nil && it.id == "" && (s.ownAt < 0 || it.values[s.ownAt].State != column.Set)
}

// own gives the results of rows with effect their own values, those that no insert has told.
func (s *session) own(ctx context.Context) error {
	if s.Own == nil {
		return nil
	}
	var ask []*item
	for i := range s.results {
		r := &s.results[i]
		switch {
		case r.Outcome == Skipped || r.Outcome == Failed:
		case s.ownAt >= 0 && s.rows[i][s.ownAt].State == column.Set:
			r.Own = s.rows[i][s.ownAt]
		case s.ids[i] != "":
			ask = append(ask, &item{row: i, values: s.rows[i]})
		}
	}
	if len(ask) == 0 {
		return nil
	}
	return s.store.stored(ctx, ask, []column.Column{*s.Own}, func(ord int64, values []column.Value) {
		s.results[ask[ord].row].Own = values[0]
	})
}
