package destination

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

// session is one call of Write.
type session struct {
	*plan
	store   store
	rows    [][]column.Value
	shapes  []*shape
	ids     []string // what rows of one key share; "" meets nothing
	results []Result
	decided int
	// again marks rows that have been looked at a second time because the table changed in between.
	again []bool
	// doubted marks rows that were refused without having been looked for.
	doubted []bool
	// known are keys that are certainly in the table.
	known map[string]bool
	// unfold are keys whose folded occurrences were refused: they go one by one.
	unfold map[string]bool
	// alone says that equality of keys is not known: one row per round.
	alone bool
}

// shape is which columns a row brings; rows of one shape fit into one statement.
type shape struct {
	present []int
	changes []int // present and not in the key: they make a row differ
	sets    []int // what an update writes
}

func newSession(ctx context.Context, p *plan, tx *database.Tx, rows [][]column.Value) (*session, error) {
	s := &session{
		plan: p, rows: rows, store: newStore(p, tx),
		shapes: make([]*shape, len(rows)), ids: make([]string, len(rows)),
		results: make([]Result, len(rows)), again: make([]bool, len(rows)), doubted: make([]bool, len(rows)),
		known: map[string]bool{}, unfold: map[string]bool{},
	}
	if len(p.fixed) > 0 {
		s.rows = make([][]column.Value, len(rows))
		for i, row := range rows {
			s.rows[i] = slices.Concat(row, p.fixed)
		}
	}
	shapes := map[string]*shape{}
	bits := make([]byte, len(p.Columns))
	for i, row := range s.rows {
		for c, value := range row {
			bits[c] = '1'
			if value.State == column.Absent {
				bits[c] = '0'
			}
		}
		found, ok := shapes[string(bits)]
		if !ok {
			found = p.shape(row)
			shapes[string(bits)] = found
		}
		s.shapes[i] = found
	}
	return s, s.identify(ctx)
}

func (p *plan) shape(row []column.Value) *shape {
	found := &shape{}
	for c, value := range row {
		if value.State == column.Absent || p.aside(c) {
			continue
		}
		found.present = append(found.present, c)
		switch {
		case p.isKey[c]:
		case c < p.mapped:
			found.changes = append(found.changes, c)
			found.sets = append(found.sets, c)
		case p.Fixed[c-p.mapped].Update:
			found.sets = append(found.sets, c)
		}
	}
	return found
}

// identify finds out which rows have equal keys, in Go where Go knows, else by asking the database.
func (s *session) identify(ctx context.Context) error {
	var ask []*item
	for i, row := range s.rows {
		id, ok := s.identity(row)
		if !ok {
			continue
		}
		s.ids[i] = "=" + id
		ask = append(ask, &item{row: i, values: row})
	}
	if s.exactKey || len(ask) < 2 {
		return nil
	}
	ranks, err := s.store.ranks(ctx, ask)
	if errors.Is(err, errNoRanks) {
		s.alone = true
		return nil
	}
	if err != nil {
		if _, _, err := s.refused(ctx, nil, err); err != nil {
			return err
		}
		s.alone = true
		return nil
	}
	for i, it := range ask {
		s.ids[it.row] = strconv.FormatInt(ranks[i], 10)
	}
	return nil
}

// run decides every row, in rounds: a round holds no key twice, unless its occurrences are folded into one write.
func (s *session) run(ctx context.Context) error {
	for s.decided < len(s.rows) {
		if err := s.round(ctx, s.take()); err != nil {
			return err
		}
	}
	return nil
}

// take returns the next round: the first undecided occurrence of every key, with the following ones where they can
// be folded. Where rows with different keys can meet it stops at the first key that comes twice.
func (s *session) take() []*item {
	var round []*item
	open := map[string]*item{}
	for i := range s.rows {
		if s.results[i].Outcome != 0 {
			continue
		}
		id := s.ids[i]
		if id != "" && !s.compares && s.known[id] {
			s.decide(i, s.duplicate())
			continue
		}
		first, repeated := open[id]
		switch {
		case id == "":
			round = append(round, s.item(i))
		case !repeated:
			open[id] = s.item(i)
			round = append(round, open[id])
		case s.ordered:
			return round
		case first != nil && s.foldable(first, i):
			first.follow = append(first.follow, i)
		default:
			open[id] = nil // a later occurrence must not overtake this one
		}
		if s.alone && len(round) == 1 {
			return round
		}
	}
	return round
}

// foldable says that row, with the key of an item, can be folded into it: nothing could refuse any of the
// occurrences, so that only the last one has to be written.
func (s *session) foldable(it *item, row int) bool {
	return s.folds && !s.unfold[it.id] && it.shape == s.shapes[row] &&
		!s.lacking(s.rows[it.row]) && !s.lacking(s.rows[row])
}

func (s *session) item(row int) *item {
	return &item{row: row, id: s.ids[row], shape: s.shapes[row], values: s.rows[row]}
}

func (s *session) decide(row int, r Result) {
	s.results[row] = r
	s.decided++
}

// duplicate is the result of a row whose key exists, for the strategies that do not write it.
func (s *session) duplicate() Result {
	if s.OnDuplicate == importer.Fail {
		return Result{Outcome: Failed, Message: s.Duplicate}
	}
	return Result{Outcome: Skipped}
}

// finish decides the rows of an item that took effect.
func (s *session) finish(it *item) {
	for i, outcome := range it.outcomes {
		s.decide(it.at(i), Result{Outcome: outcome, Own: it.own})
	}
	if it.id != "" {
		s.known[it.id] = true
	}
}

// resolve says what an item does, now that it is known whether its key exists, as row by row would.
func (s *session) resolve(it *item) {
	it.op = nothing
	switch {
	case !it.exists:
		it.op = insert
		if s.asks(it) {
			it.op = returning
		}
		it.outcomes = append(it.outcomes, Created)
	case s.newer && !it.newer:
		s.decide(it.row, Result{Outcome: Skipped})
		return
	case !s.compares:
		s.known[it.id] = true
		s.decide(it.row, s.duplicate())
		return
	case it.differs:
		it.op = update
		it.outcomes = append(it.outcomes, Updated)
	default:
		it.outcomes = append(it.outcomes, Unchanged)
	}
	before := it.values
	for _, row := range it.follow {
		outcome := Unchanged
		for _, c := range it.shape.changes {
			if !s.equal(s.Columns[c], before[c], s.rows[row][c]) {
				outcome = Updated
			}
		}
		it.outcomes = append(it.outcomes, outcome)
		before = s.rows[row]
		if outcome == Updated && it.op == nothing {
			it.op = update
		}
	}
	if len(it.follow) > 0 {
		// the key stays as its first occurrence wrote it: an update does not write keys
		it.values = slices.Clone(it.values)
		for _, c := range it.shape.changes {
			it.values[c] = before[c]
		}
	}
}
