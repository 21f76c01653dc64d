package destination

import (
	"context"
	"errors"
	"slices"

	"ingest/shared/database"
)

// tally decides when single rows are cheaper than finding out which of many is bad.
type tally struct{ tried, failed int }

func (t *tally) many() bool { return t.failed >= 8 && t.failed*10 > t.tried }

// isolate has do applied to all items, so that those that the database refuses do not cost their neighbours: as if
// applied one by one, in order. It returns how many items from the start are decided; the others have to be looked
// at again because the table has changed.
func (s *session) isolate(ctx context.Context, items []*item, do func(context.Context, []*item) error, t *tally) (int, error) {
	if len(items) == 0 {
		return 0, nil
	}
	if len(items) > 1 && t.many() {
		return s.eachAlone(ctx, items, do, t)
	}
	err := do(ctx, items)
	if err == nil {
		t.tried += len(items)
		s.done(items)
		return len(items), nil
	}
	cause := err
	fault, kept, err := s.refused(ctx, items, cause)
	if err != nil {
		return 0, err
	}
	t.tried += kept
	n, err := s.singleOut(ctx, items[kept:], cause, fault, do, t)
	return kept + n, err
}

// singleOut finds the items that made the database refuse all of them, and decides them like isolate.
func (s *session) singleOut(
	ctx context.Context, items []*item, cause error, fault database.Fault, do func(context.Context, []*item) error, t *tally,
) (int, error) {
	if len(items) == 1 {
		return s.refuse(ctx, items[0], cause, fault, t)
	}
	if !s.ordered && !s.suspicious.Load() && items[0].op != look && (fault.ForeignKey() || fault.Checked()) {
		s.suspicious.Store(true)
		rest, err := s.sift(ctx, items)
		if err != nil || len(rest) < len(items) {
			if err == nil {
				_, err = s.isolate(ctx, rest, do, t)
			}
			return len(items), err
		}
	}
	cut := len(items) / 2
	bad := int(fault.Line) - 1
	switch {
	case bad >= 0 && bad < len(items):
		cut = bad
	case s.most > 0 && items[0].op != look:
		return s.eachAlone(ctx, items, do, t)
	}
	failed := t.failed
	n, err := s.isolate(ctx, items[:cut], do, t)
	if err != nil || n < cut {
		return n, err
	}
	if cut == bad && t.failed == failed {
		// All before it are in: this one is refused with them, as it would be on its own.
		if n, err := s.refuse(ctx, items[bad], cause, fault, t); err != nil || n == 0 {
			return cut, err
		}
		cut++
	}
	n, err = s.isolate(ctx, items[cut:], do, t)
	return cut + n, err
}

func (s *session) eachAlone(ctx context.Context, items []*item, do func(context.Context, []*item) error, t *tally) (int, error) {
	for i := range items {
		if n, err := s.isolate(ctx, items[i:i+1], do, t); err != nil || n == 0 {
			return i, err
		}
	}
	return len(items), nil
}

// sift decides the items that foreign keys and CHECK constraints refuse, where the last chunk had such rows, and returns the
// others. A statement that is refused costs as much as one that is not; to ask beforehand costs less than both. Where file
// order counts a row cannot be judged by what the table holds now.
func (s *session) sift(ctx context.Context, items []*item) ([]*item, error) {
	if s.ordered || len(items) < 2 || !s.suspicious.Load() {
		return items, nil
	}
	suspects, err := s.store.suspects(ctx, items)
	if err != nil || len(suspects) == 0 {
		s.suspicious.Store(false)
		return items, err
	}
	picked := make([]*item, len(suspects))
	for i, at := range suspects {
		picked[i] = items[at]
	}
	causes, err := s.store.probe(ctx, picked)
	if err != nil {
		return nil, err
	}
	bad := map[*item]bool{}
	for i, it := range picked {
		if causes[i] == nil {
			continue
		}
		fault := database.Explain(causes[i])
		if fault.Class != database.RowFault {
			return nil, causes[i]
		}
		bad[it] = true
		// It says nothing about the others, so that it does not count.
		if _, err := s.refuse(ctx, it, causes[i], fault, &tally{}); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(slices.Clone(items), func(it *item) bool { return bad[it] }), nil
}

// refused takes the transaction back to before the statements that failed, or to behind the first items, which it decides and
// counts; the line of the fault is one of the others. An error that is not about a row is returned.
func (s *session) refused(ctx context.Context, items []*item, cause error) (fault database.Fault, kept int, err error) {
	fault = database.Explain(cause)
	if fault.Class != database.RowFault && !errors.Is(cause, errLeftOut) {
		return fault, 0, cause
	}
	var halted *keptError
	if errors.As(cause, &halted) {
		kept = halted.items
		s.done(items[:kept])
		if halted.located {
			fault.Line = 1
		}
	}
	return fault, kept, s.store.undo(ctx)
}

// refuse decides an item that the database refuses alone; it returns 0 if it has to be looked at again.
func (s *session) refuse(ctx context.Context, it *item, cause error, fault database.Fault, t *tally) (int, error) {
	t.tried++
	t.failed++
	if it.hoped {
		// First of all its key counts, and nobody has looked for it.
		s.doubted[it.row] = true
		return 1, nil
	}
	if len(it.follow) > 0 {
		s.unfold[it.id], it.refused = true, true
		return 1, nil
	}
	if errors.Is(cause, errLeftOut) {
		s.decide(it.row, Result{Outcome: Skipped})
		return 1, nil
	}
	if it.op == insert && it.id != "" && !s.again[it.row] && s.onKey(fault) {
		s.again[it.row] = true
		return 0, nil
	}
	culprits := s.uniqueColumns(fault)
	if fault.ForeignKey() || fault.Unique() && len(culprits) == 0 {
		var err error
		if culprits, err = s.store.culprits(ctx, it, cause); err != nil {
			return 0, err
		}
	}
	s.decide(it.row, s.explain(fault, culprits))
	return 1, nil
}

// done decides the items of a statement that succeeded.
func (s *session) done(items []*item) {
	for _, it := range items {
		switch {
		case it.op == look:
		case it.gone && !s.again[it.row]:
			s.again[it.row] = true
			it.gone = false
		case it.gone:
			// It was there when it was looked at a second time: a trigger leaves the update out.
			for i := range it.outcomes {
				s.decide(it.at(i), Result{Outcome: Skipped})
			}
		default:
			s.finish(it)
		}
	}
}
