package golden

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/destination"
	"ingest/shared/importer"
)

// Written are the tables that a definition may write, its destination first.
func Written(d importer.Definition) []string {
	all := []string{d.Destination.Table}
	for _, choice := range d.TableWhen {
		all = append(all, choice.Table)
	}
	relate := func(list []importer.Relation) {
		for _, r := range list {
			if r.CreateIfMissing {
				all = append(all, r.Table)
			}
			if r.Many() {
				all = append(all, r.Pivot)
			}
		}
	}
	relate(d.Relations)
	for _, n := range d.Nested {
		all = append(all, n.Table)
		relate(n.Relations)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Read adds the rows of the tables that the definition may write, in the order of their keys. A number that the database
// gave a row is left out; where another row refers to it, the row's own key stands instead, and what is the time at which
// the run began is called so.
func (o *Outcome) Read(ctx context.Context, db *database.DB, d importer.Definition, started time.Time) error {
	o.Tables, o.order = map[string][]Row{}, map[string][]string{}
	for _, name := range Written(d) {
		table, err := db.Table(ctx, name)
		if errors.Is(err, database.ErrNoTable) {
			continue
		}
		if err != nil {
			return fmt.Errorf("describe table %s: %w", name, err)
		}
		s := shown{db: db, definition: d, table: table}
		if o.Tables[name], err = s.rows(ctx, beginning(started)); err != nil {
			return fmt.Errorf("read table %s: %w", name, err)
		}
		o.order[name] = s.columns
	}
	return nil
}

// beginning finds the time at which a run began in texts.
func beginning(started time.Time) *regexp.Regexp {
	at := started.UTC()
	return regexp.MustCompile(at.Format("2006-01-02") + "[T ]" + at.Format("15:04:05") + `(\.\d+)?(Z|[+-]\d\d(:\d\d)?)?`)
}

// shown is a table as its rows are shown.
type shown struct {
	db         *database.DB
	definition importer.Definition
	table      column.Table
	columns    []string
}

func (s *shown) rows(ctx context.Context, started *regexp.Regexp) (out []Row, err error) {
	references, err := s.references(ctx)
	if err != nil {
		return nil, err
	}
	var selected []string
	given := surrogate(s.table, s.definition)
	for _, c := range s.table.Columns {
		if c.Name == given {
			continue
		}
		s.columns = append(s.columns, c.Name)
		what := plain("t." + s.db.Quote(c.Name))
		if label, ok := references[c.Name]; ok {
			what = "COALESCE(" + label + ", " + what + ")"
		}
		selected = append(selected, what)
	}
	if len(selected) == 0 {
		return nil, nil
	}
	// By the key, then by everything else, so that rows without a key have an order, too.
	by := make([]string, 0, len(selected))
	for _, name := range append(keyOf(s.table), s.columns...) {
		if i := slices.Index(s.columns, name); i >= 0 && !slices.Contains(by, selected[i]) {
			if _, refers := references[name]; !refers {
				by = append(by, "t."+s.db.Quote(name))
			}
			by = append(by, selected[i])
		}
	}
	rows, err := s.db.Query(ctx, "SELECT "+strings.Join(selected, ", ")+" FROM "+s.db.QuoteTable(s.table.Name)+" AS t ORDER BY "+
		strings.Join(by, ", "))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	out = []Row{}
	cells := make([]any, len(selected))
	into := make([]any, len(cells))
	for i := range cells {
		into[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		row := Row{}
		for i, name := range s.columns {
			switch cell := cells[i].(type) {
			case nil:
			case float64:
				row[name] = strconv.FormatFloat(cell, 'g', -1, 64)
			default:
				row[name] = started.ReplaceAllString(fmt.Sprint(cell), "(started)")
			}
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

// plain is a value as text; one that is a float stays it, so that it is spelt as shortly as it can be.
func plain(column string) string {
	return fmt.Sprintf("CASE typeof(%[1]s) WHEN 'real' THEN %[1]s WHEN 'blob' THEN hex(%[1]s) ELSE CAST(%[1]s AS TEXT) END", column)
}

// references are what columns that refer to numbers of other rows show instead: the keys of these rows, as SQL. Foreign keys
// say which they are, else the definition.
func (s *shown) references(ctx context.Context) (labels map[string]string, err error) {
	labels = map[string]string{}
	for _, key := range s.table.Foreign {
		if len(key.Columns) == 1 {
			err = errors.Join(err, s.refer(ctx, labels, key.Columns[0], key.Table, key.References[0]))
		}
	}
	d := s.definition
	relate := func(own string, list []importer.Relation) {
		for _, r := range list {
			if r.To != "" && s.table.Name == own {
				err = errors.Join(err, s.refer(ctx, labels, r.To, r.Table, r.Key))
			}
			if r.Many() && s.table.Name == r.Pivot {
				err = errors.Join(err, s.pivot(ctx, labels, own, r))
			}
		}
	}
	relate(d.Destination.Table, d.Relations)
	for _, n := range d.Nested {
		if n.Table == s.table.Name {
			err = errors.Join(err, s.refer(ctx, labels, n.Parent, d.Destination.Table, ""))
		}
		relate(n.Table, n.Relations)
	}
	return labels, err
}

// pivot adds what the columns of a pivot table show.
func (s *shown) pivot(ctx context.Context, labels map[string]string, own string, r importer.Relation) error {
	ownTable, err := s.db.Table(ctx, own)
	if err != nil {
		return err
	}
	related, err := s.db.Table(ctx, r.Table)
	if err != nil {
		return err
	}
	ownColumn, otherColumn, ownRefers, otherRefers, err := destination.PivotColumns(r, s.table, ownTable, related)
	if err != nil {
		return nil //nolint:nilerr // the run has said so
	}
	return errors.Join(
		s.refer(ctx, labels, ownColumn.Name, own, ownRefers.Name),
		s.refer(ctx, labels, otherColumn.Name, r.Table, otherRefers.Name),
	)
}

// refer adds what a column shows that refers to a column of a table, empty = its primary key, if the database gives its
// numbers.
func (s *shown) refer(ctx context.Context, labels map[string]string, from, table, to string) error {
	other, err := s.db.Table(ctx, table)
	if errors.Is(err, database.ErrNoTable) || labels[from] != "" {
		return nil
	}
	if err != nil {
		return err
	}
	given, key := surrogate(other, s.definition), keyOf(other)
	if given == "" || to != "" && to != given || len(key) == 0 || slices.Contains(key, given) {
		return nil
	}
	parts := make([]string, len(key))
	for i, name := range key {
		parts[i] = plain("o." + s.db.Quote(name))
	}
	labels[from] = fmt.Sprintf("(SELECT %s FROM %s AS o WHERE o.%s = t.%s)",
		strings.Join(parts, " || '|' || "), s.db.QuoteTable(other.Name), s.db.Quote(given), s.db.Quote(from))
	return nil
}

// surrogate is the column whose numbers the database gives, "" where there is none or a field fills it.
func surrogate(t column.Table, d importer.Definition) string {
	for _, index := range t.Unique {
		if !index.Primary || len(index.Columns) != 1 {
			continue
		}
		c, ok := t.Column(index.Columns[0])
		filled := slices.ContainsFunc(d.Fields, func(f importer.Field) bool { return f.To == c.Name })
		if ok && c.Default && c.Type.Kind == column.Integer && !(filled && t.Name == d.Destination.Table) {
			return c.Name
		}
	}
	return ""
}

// keyOf are the columns that tell the rows of a table apart, its own numbers aside where there is something else.
func keyOf(t column.Table) []string {
	var primary []string
	for _, index := range t.Unique {
		if !index.Primary {
			return slices.Clone(index.Columns)
		}
		primary = index.Columns
	}
	return slices.Clone(primary)
}
