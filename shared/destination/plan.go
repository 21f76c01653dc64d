package destination

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

// plan is what is known about a target before its first row. It is never changed after newPlan, but for a hint.
type plan struct {
	// Target has the fixed columns behind its own ones, and every row their values.
	Target
	mapped  int
	fixed   []column.Value
	dialect database.Dialect
	// table and names are quoted.
	table string
	names []string
	quote func(string) string

	isKey    []bool
	compares bool // update and upsert: stored values decide between updated and unchanged
	ordered  bool // rows with different keys can meet: file order counts between them, too
	single   bool // what meets is not known well enough: one row per statement
	folds    bool // nothing but what Go has checked can refuse a row: occurrences of a key are folded in Go
	exactKey bool // Go knows which keys are equal
	moving   []bool
	indexed  bool // the table refuses a second row with the key
	restless bool // every update writes a column of another unique index
	newer    bool // UpdateIfNewer
	rewrites bool // what is probably different may be overwritten without being looked at first
	ownAt    int  // position of Own, -1 if no row brings it
	// mostlyNew is a hint from chunk to chunk: most rows of the last one were not in the table.
	mostlyNew *atomic.Bool
	// hopeful is another: none of them was, so that the next ones are inserted without looking for them.
	hopeful *atomic.Bool
	// changing is another: most of them were there and differed, so that the next ones are overwritten without looking.
	changing *atomic.Bool
	// suspicious is another: constraints have refused rows of the last one.
	suspicious *atomic.Bool
	// most is how many rows go into one call of the store where a statement for each of them costs little more than one for all
	// (SQLite is in the process), 0 = as many as there are.
	most int
	// after says that rows may have to be undone that the database took without an error (SQLite).
	after bool
}

func newPlan(db *database.DB, t Target) (*plan, error) {
	p := &plan{
		dialect: db.Dialect(), table: quoted(t.Table, db.Quote), quote: db.Quote, mapped: len(t.Columns), mostlyNew: &atomic.Bool{},
		hopeful: &atomic.Bool{}, changing: &atomic.Bool{}, suspicious: &atomic.Bool{},
		newer: t.OnDuplicate == importer.UpdateIfNewer, ownAt: -1,
	}
	if len(t.Fixed) > 0 {
		t.Columns = slices.Clone(t.Columns)
	}
	for _, f := range t.Fixed {
		t.Columns = append(t.Columns, f.Column)
		p.fixed = append(p.fixed, f.Value)
	}
	p.Target, p.isKey, p.moving = t, make([]bool, len(t.Columns)), make([]bool, len(t.Columns))
	switch p.dialect {
	case database.Postgres, database.SQLite, database.MySQL:
	default:
		return nil, fmt.Errorf("write into a %s database: unknown dialect", p.dialect)
	}
	for _, c := range t.Columns {
		p.names = append(p.names, db.Quote(c.Name))
	}
	key := make([]string, 0, len(t.Key))
	p.exactKey = true
	for _, k := range t.Key {
		p.isKey[k] = true
		key = append(key, t.Columns[k].Name)
		p.exactKey = p.exactKey && t.Columns[k].Fold != column.FoldUnknown && p.exact(t.Columns[k])
	}
	p.compares = len(key) > 0 && (t.OnDuplicate == importer.Update || t.OnDuplicate == importer.Upsert || p.newer)
	p.single = len(t.Table.Meets) > 0
	p.ordered = p.single
	for _, index := range t.Table.Unique {
		if p.harmless(index, key) {
			continue
		}
		p.ordered = true
		for i, c := range t.Columns {
			p.moving[i] = p.moving[i] || slices.Contains(index.Columns, c.Name)
			p.restless = p.restless || p.moving[i] && i >= p.mapped && t.Fixed[i-p.mapped].Update
		}
	}
	_, p.indexed = t.Table.UniqueOn(key)
	// Of several rows with one key another index can refuse what an occurrence makes of them.
	p.folds = p.indexed && p.compares && !p.newer && !p.ordered && len(t.Table.Refuses) == 0
	for _, c := range t.Columns {
		p.folds = p.folds && p.exact(c) && p.takes(c)
	}
	p.rewrites = p.dialect == database.Postgres && p.indexed && p.compares && !p.newer && !p.ordered && rewritable(t.Table)
	if p.dialect == database.SQLite {
		p.most = max(1, min(statementRows, statementParameters/max(1, len(t.Columns))))
		// Of a statement that a STRICT table refuses for a type, SQLite keeps the rows before, and does not say so.
		p.after = refusing(t.Table, "trigger ", "STRICT ") || slices.ContainsFunc(t.Table.Foreign, func(key column.ForeignKey) bool { return key.Deferred })
	}
	if t.Own != nil {
		p.ownAt = p.position(t.Own.Name)
	}
	return p, nil
}

// refusing says that something whose name begins like one of these can refuse rows.
func refusing(t column.Table, kinds ...string) bool {
	return slices.ContainsFunc(t.Refuses, func(what string) bool {
		return slices.ContainsFunc(kinds, func(kind string) bool { return strings.HasPrefix(what, kind) })
	})
}

// aside says that a column is there only to be compared.
func (p *plan) aside(c int) bool { return p.newer && p.CompareOnly && c == p.Compare }

// harmless says that two rows with different keys can never meet in this index: it holds the whole key, or only
// columns that the database fills by itself.
func (p *plan) harmless(index column.Index, key []string) bool {
	if len(key) > 0 && !slices.ContainsFunc(key, func(name string) bool { return !slices.Contains(index.Columns, name) }) {
		return true
	}
	return !slices.ContainsFunc(index.Columns, func(name string) bool {
		c, _ := p.Table.Column(name)
		mapped := slices.ContainsFunc(p.Columns, func(m column.Column) bool { return m.Name == name })
		return mapped || !c.Default
	})
}

// exact says that two values of the column are equal in the database exactly when equal (below) says so.
func (p *plan) exact(c column.Column) bool {
	switch {
	case p.dialect == database.SQLite, p.dialect == database.MySQL && c.Type.Kind == column.JSON:
		return true // stored values are compared in Go, by the same function
	case p.dialect == database.MySQL && c.Fold == column.FoldUnknown && c.Type.Kind != column.Text:
		return false // they are stored otherwise than they are written
	}
	return c.Type.Kind != column.JSON && c.Type.Kind != column.Other
}

// takes says that the column takes every value that Go has converted. MySQL has types with fewer characters, bytes, digits
// and years than Go knows of.
func (p *plan) takes(c column.Column) bool {
	if p.dialect != database.MySQL {
		return true
	}
	base, _, _ := strings.Cut(c.Type.Native, "(")
	switch c.Type.Kind {
	case column.Integer, column.Boolean, column.Date, column.UUID:
		return true
	case column.Datetime:
		return !c.Type.Zone
	case column.Time:
		return true
	case column.Decimal:
		return !strings.Contains(c.Type.Native, "unsigned") && c.Type.Precision > 0
	case column.Float:
		return base == "double" && c.Type.Native == base
	case column.Text:
		return strings.HasPrefix(c.Collation, "utf8mb4_") && (c.Type.Length > 0 || base == "longtext")
	default:
		return false
	}
}

// equal compares two converted values of a column as values that are written, not as keys: a text that differs
// only in case is a change.
func (p *plan) equal(c column.Column, a, b column.Value) bool {
	if a.State != b.State || a.State != column.Set {
		return a.State == b.State
	}
	blanks := p.dialect == database.Postgres && c.Fold == column.FoldRTrim || p.dialect == database.MySQL && strings.HasPrefix(c.Type.Native, "char(")
	switch {
	case p.dialect == database.MySQL && c.Type.Kind == column.JSON:
		return sameJSON(a.Text, b.Text)
	case blanks:
		return strings.TrimRight(a.Text, " ") == strings.TrimRight(b.Text, " ")
	}
	return a.Text == b.Text
}

// identity returns a text that is equal for two rows exactly when their keys are equal in the database; false for
// a row that meets nothing because a part of its key has no value.
func (p *plan) identity(row []column.Value) (string, bool) {
	if !p.keyed(row) {
		return "", false
	}
	if len(p.Key) == 1 {
		return folded(p.Columns[p.Key[0]], row[p.Key[0]].Text), true
	}
	var b strings.Builder
	for _, k := range p.Key {
		text := folded(p.Columns[k], row[k].Text)
		fmt.Fprintf(&b, "%d:%s", len(text), text)
	}
	return b.String(), true
}

// lacking says that a row has a null that its column refuses, or is longer than every MySQL server takes.
func (p *plan) lacking(row []column.Value) bool {
	size := 0
	for i, c := range p.Columns {
		if c.NotNull && row[i].State == column.Null {
			return true
		}
		size += len(row[i].Text)
	}
	return p.dialect == database.MySQL && size > mysqlLongRow
}

// brought are the positions of columns, nil if rows of the shape do not bring all of them.
func (p *plan) brought(sh *shape, names []string) (all []int) {
	for _, name := range names {
		i := p.position(name)
		if i < 0 || !slices.Contains(sh.present, i) {
			return nil
		}
		all = append(all, i)
	}
	return all
}

func (p *plan) keyed(row []column.Value) bool {
	for _, k := range p.Key {
		if row[k].State != column.Set {
			return false
		}
	}
	return len(p.Key) > 0
}

func folded(c column.Column, text string) string {
	switch c.Fold {
	case column.FoldNoCase:
		return strings.Map(func(r rune) rune {
			if r >= 'A' && r <= 'Z' {
				return r + ('a' - 'A')
			}
			return r
		}, text)
	case column.FoldRTrim:
		return strings.TrimRight(text, " ")
	default:
		return text
	}
}

// quoted is the table as an identifier, with its schema where it has one.
func quoted(t column.Table, quote func(string) string) string {
	if t.Schema == "" {
		return quote(t.Name)
	}
	return quote(t.Schema) + "." + quote(t.Name)
}
