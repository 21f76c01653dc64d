package destination

import (
	"context"
	"errors"
	"fmt"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

// LinkTarget is a pivot table: each of its rows joins what Own refers to with what Other refers to.
type LinkTarget struct {
	Table      column.Table
	Own, Other column.Column
	// Fixed are written with every row.
	Fixed []Fixed
	// Label names Own (0) and Other (1) in messages, as in Target.
	Label func(i int) (source, words string)
}

// LinkSet is what Own shall be joined with: Others, and with Replace nothing else.
type LinkSet struct {
	Own     column.Value
	Others  []column.Value
	Replace bool
}

// LinkResult is what became of a set: whether it added or removed a row, or why it did neither.
type LinkResult struct {
	Changed bool
	Failed  *Result
}

// Links writes the rows of a pivot table. It is safe for concurrent use, each call with a transaction of its own.
type Links struct {
	pairs, owns *plan
}

// NewLinks returns the links of a pivot table. It refuses one without a unique index over both columns, see MissingIndex.
func NewLinks(db *database.DB, l LinkTarget) (*Links, error) {
	if err := MissingIndex(l.Table, []string{l.Own.Name, l.Other.Name}, db.Quote); err != nil {
		return nil, err
	}
	pairs, err := newPlan(db, Target{
		Table: l.Table, Columns: []column.Column{l.Own, l.Other}, Key: []int{0, 1}, OnDuplicate: importer.Skip, Fixed: l.Fixed, Label: l.Label,
	})
	if err != nil {
		return nil, err
	}
	owns, err := newPlan(db, Target{Table: l.Table, Columns: []column.Column{l.Own}, Key: []int{0}})
	if err != nil {
		return nil, err
	}
	return &Links{pairs: pairs, owns: owns}, nil
}

// Sync makes the table hold what the sets say, as if one after the other. A set of which the database refuses anything
// has no effect and costs no other one. Values without text are left out. After an error the transaction must be rolled
// back.
func (l *Links) Sync(ctx context.Context, tx *database.Tx, sets []LinkSet) ([]LinkResult, error) {
	s := &linking{Links: l, tx: tx, sets: sets, results: make([]LinkResult, len(sets))}
	rounds, err := s.rounds(ctx)
	for i := 0; i < len(rounds) && err == nil; i++ {
		err = s.round(ctx, rounds[i])
	}
	if err != nil {
		return nil, fmt.Errorf("write the links of %d rows into table '%s': %w", len(sets), l.pairs.Table.Name, err)
	}
	return s.results, nil
}

// linking is one call of Sync.
type linking struct {
	*Links
	tx      *database.Tx
	sets    []LinkSet
	results []LinkResult
}

// rounds cuts the sets so that none holds an Own twice, and a later set of an Own is in a later round.
func (s *linking) rounds(ctx context.Context) ([][]int, error) {
	var items []*item
	for i, set := range s.sets {
		if set.Own.State == column.Set {
			items = append(items, &item{row: i, values: []column.Value{set.Own}})
		}
	}
	ids, err := s.identities(ctx, items)
	if err != nil {
		return nil, err
	}
	var rounds [][]int
	seen := map[string]int{}
	for i, it := range items {
		n := seen[ids[i]]
		seen[ids[i]]++
		if n == len(rounds) {
			rounds = append(rounds, nil)
		}
		rounds[n] = append(rounds[n], it.row)
	}
	return rounds, nil
}

// identities are equal for equal Owns, and for all of them where nobody knows which are.
func (s *linking) identities(ctx context.Context, items []*item) ([]string, error) {
	ids := make([]string, len(items))
	if s.owns.exactKey {
		for i, it := range items {
			ids[i], _ = s.owns.identity(it.values)
		}
		return ids, nil
	}
	st := newStore(s.owns, s.tx)
	ranks, err := st.ranks(ctx, items)
	switch {
	case err == nil:
		for i, rank := range ranks {
			ids[i] = fmt.Sprint(rank)
		}
	case database.Explain(err).Class == database.RowFault:
		err = st.undo(ctx)
	case errors.Is(err, errNoRanks):
		err = nil
	}
	return ids, err
}

const linksSavepoint = "ingest_links"

// round applies sets of different Owns, which do not touch each other: what is refused is taken out, and the rest begins
// again.
func (s *linking) round(ctx context.Context, sets []int) error {
	for len(sets) > 0 {
		if err := s.tx.Savepoint(ctx, linksSavepoint); err != nil {
			return err
		}
		changed, err := s.unlink(ctx, sets)
		if err != nil {
			fault := database.Explain(err)
			if fault.Class != database.RowFault {
				return err
			}
			if err := s.undo(ctx); err != nil {
				return err
			}
			if len(sets) > 1 {
				if err := s.round(ctx, sets[:len(sets)/2]); err != nil {
					return err
				}
				sets = sets[len(sets)/2:]
				continue
			}
			refused := s.pairs.explain(fault, nil)
			s.results[sets[0]].Failed = &refused
			return nil
		}
		if err := s.link(ctx, sets, changed); err != nil {
			return err
		}
		var rest []int
		for _, i := range sets {
			if s.results[i].Failed == nil {
				rest = append(rest, i)
			}
		}
		if len(rest) == len(sets) {
			for _, i := range sets {
				s.results[i].Changed = changed[i]
			}
			return s.tx.Release(ctx, linksSavepoint)
		}
		if err := s.undo(ctx); err != nil {
			return err
		}
		sets = rest
	}
	return nil
}

// unlink removes what the sets that replace do not name, and returns which of them removed something.
func (s *linking) unlink(ctx context.Context, sets []int) (map[int]bool, error) {
	changed := map[int]bool{}
	var items []*item
	var others [][]column.Value
	for _, i := range sets {
		if s.sets[i].Replace {
			items = append(items, &item{row: i, values: []column.Value{s.sets[i].Own}})
			others = append(others, s.sets[i].Others)
		}
	}
	if len(items) == 0 {
		return changed, nil
	}
	return changed, newStore(s.pairs, s.tx).unlink(ctx, items, others, func(ord int64) { changed[items[ord].row] = true })
}

// link adds what is missing.
func (s *linking) link(ctx context.Context, sets []int, changed map[int]bool) error {
	var rows [][]column.Value
	var of []int
	for _, i := range sets {
		for _, other := range s.sets[i].Others {
			if other.State == column.Set {
				rows, of = append(rows, []column.Value{s.sets[i].Own, other}), append(of, i)
			}
		}
	}
	results, err := (&writer{plan: s.pairs}).Write(ctx, s.tx, rows)
	if err != nil {
		return err
	}
	for n, i := range of {
		changed[i] = changed[i] || results[n].Outcome == Created
		if results[n].Outcome == Failed && s.results[i].Failed == nil {
			s.results[i].Failed = &results[n]
		}
	}
	return nil
}

func (s *linking) undo(ctx context.Context) error {
	if err := s.tx.RollbackTo(ctx, linksSavepoint); err != nil {
		return err
	}
	return s.tx.Release(ctx, linksSavepoint)
}
