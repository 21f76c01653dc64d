package destination

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// round decides items with different keys. Rows it could not decide stay undecided and are looked at again.
func (s *session) round(ctx context.Context, items []*item) error {
	if s.fresh(items) {
		return s.insertAll(ctx, items)
	}
	rest, err := s.rewrite(ctx, items)
	if err != nil || len(rest) == 0 {
		return err
	}
	if err := s.look(ctx, rest); err != nil {
		return err
	}
	var writes []*item
	for _, it := range rest {
		if it.refused || s.results[it.row].Outcome != 0 {
			continue
		}
		if s.resolve(it); it.op == nothing && it.outcomes != nil {
			s.finish(it)
		}
		if it.op != nothing {
			writes = append(writes, it)
		}
	}
	if len(rest) == len(items) {
		s.expect(updatesIn(writes), len(items))
	}
	for _, run := range s.runs(writes) {
		t := &tally{}
		run, err := s.sift(ctx, run)
		if err != nil {
			return err
		}
		for part := range slices.Chunk(run, cmp.Or(s.most, len(run)+1)) {
			decided, err := s.isolate(ctx, part, s.write, t)
			if err != nil {
				return err
			}
			if decided < len(part) && s.ordered {
				return nil // what follows was planned for a table that has changed since
			}
		}
	}
	return nil
}

// hopefulRows is how many rows have to be new before the next ones are taken for new, too: what is refused costs the table's own
// numbers, and a statement.
const hopefulRows = 100

// fresh says that items are probably not in the table.
func (s *session) fresh(items []*item) bool {
	seen := func(it *item) bool { return s.known[it.id] || s.again[it.row] || s.doubted[it.row] }
	return s.hopeful.Load() && s.indexed && !s.ordered && !s.alone && !slices.ContainsFunc(items, seen)
}

// insertAll inserts items whose keys are probably not in the table. Where one is, what was inserted with it stays undecided and
// is looked at in the next round, and so does what is refused.
func (s *session) insertAll(ctx context.Context, items []*item) error {
	for _, it := range items {
		it.hoped = it.id != ""
		s.resolve(it)
	}
	for _, run := range s.runs(items) {
		t := &tally{}
		run, err := s.sift(ctx, run)
		if err != nil {
			return err
		}
		for part := range slices.Chunk(run, cmp.Or(s.most, len(run)+1)) {
			cause := s.write(ctx, part)
			if cause == nil {
				s.done(part)
				continue
			}
			fault, kept, err := s.refused(ctx, part, cause)
			if err != nil {
				return err
			}
			if s.onKey(fault) || errors.Is(cause, errLeftOut) {
				s.hopeful.Store(false)
				continue
			}
			if _, err := s.singleOut(ctx, part[kept:], cause, fault, s.write, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// look finds out which keys exist and whether the stored values differ. Rows whose values the database cannot
// read are decided here.
func (s *session) look(ctx context.Context, items []*item) error {
	var groups groups
	for _, it := range items {
		if it.id == "" {
			continue
		}
		it.op = look
		if !s.compares {
			groups.add(nil, look, it) // only keys are looked at: the shape does not matter
			continue
		}
		groups.add(it.shape, look, it)
	}
	fresh := len(items) >= hopefulRows
	for _, group := range groups {
		if _, err := s.isolate(ctx, group.items, s.store.look, &tally{}); err != nil {
			return err
		}
		fresh = fresh && !slices.ContainsFunc(group.items, func(it *item) bool { return it.exists || it.refused })
	}
	s.hopeful.Store(fresh)
	return nil
}

// runs cuts writes into what goes into one statement each: all of one operation and shape, inserts first; or, where
// file order counts, the longest sequences of it.
func (s *session) runs(writes []*item) [][]*item {
	var all groups
	for _, it := range writes {
		if !s.ordered {
			all.add(it.shape, it.op, it)
			continue
		}
		last := len(all) - 1
		// An update that moves a row in another unique index can meet its neighbours, and the order within a
		// statement is the database's own.
		apart := s.single || it.op == update && (it.moves || s.restless)
		if apart || last < 0 || all[last].apart || all[last].shape != it.shape || all[last].op != it.op {
			all = append(all, group{shape: it.shape, op: it.op, apart: apart})
			last++
		}
		all[last].items = append(all[last].items, it)
	}
	var inserts, rest [][]*item
	for _, g := range all {
		if g.op != update && !s.ordered {
			inserts = append(inserts, g.items)
			continue
		}
		rest = append(rest, g.items)
	}
	return append(inserts, rest...)
}

type group struct {
	shape *shape
	op    op
	apart bool
	items []*item
}

type groups []group

func (g *groups) add(sh *shape, o op, it *item) {
	for i := range *g {
		if (*g)[i].shape == sh && (*g)[i].op == o {
			(*g)[i].items = append((*g)[i].items, it)
			return
		}
	}
	*g = append(*g, group{shape: sh, op: o, items: []*item{it}})
}

// write is one attempt to write all items, which have one operation and shape.
func (s *session) write(ctx context.Context, items []*item) error {
	switch items[0].op {
	case insert:
		return s.store.insert(ctx, items)
	case returning:
		return s.store.returning(ctx, items)
	default:
		return s.store.update(ctx, items)
	}
}
