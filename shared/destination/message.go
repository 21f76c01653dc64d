package destination

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ingest/shared/chunk"
	"ingest/shared/column"
	"ingest/shared/database"
)

// identifier is a name that can be shown: for a CHECK without a name SQLite answers with its SQL.
var identifier = regexp.MustCompile(`^[\pL_][\pL\pN_$]*$`)

// explain makes the result of a row that the database refused: for people, without SQL and without values. The
// culprits are the columns of a violated key.
func (p *plan) explain(f database.Fault, culprits []string) Result {
	name, text := p.refusal(f, culprits)
	if text == "" {
		return Result{Outcome: Failed, Message: fmt.Sprintf("The database refused the row (%s).", f.Code)}
	}
	result := Result{Outcome: Failed, Message: text}
	if i := p.position(name); i >= 0 {
		source, _ := p.label(i)
		result.Fields = []chunk.FieldMessage{{Column: source, Messages: []string{text}}}
	}
	return result
}

// refusal returns the column to blame, if one is known, and the message, empty if there is only the code.
func (p *plan) refusal(f database.Fault, culprits []string) (name, text string) {
	switch {
	case f.Unique() && len(culprits) > 0:
		words := make([]string, len(culprits))
		for i, c := range culprits {
			words[i] = p.words(c)
		}
		return culprits[0], fmt.Sprintf("The %s has already been taken.", strings.Join(words, ", "))
	case f.ForeignKey() && len(culprits) > 0:
		return culprits[0], fmt.Sprintf("The selected %s is invalid.", p.words(culprits[0]))
	case f.Unique(), f.ForeignKey():
		return "", p.violates(f)
	case f.NotNull() && f.Column != "":
		return f.Column, fmt.Sprintf("The %s field is required.", p.words(f.Column))
	case f.TooLong():
		if c, ok := p.Table.Column(f.Column); ok && c.Type.Length > 0 {
			return c.Name, fmt.Sprintf("The %s field must not be greater than %d characters.", p.words(c.Name), c.Type.Length)
		}
	case f.OutOfRange():
		if c, ok := p.Table.Column(f.Column); ok {
			return c.Name, fmt.Sprintf("The %s field must %s.", p.words(c.Name), bounds(c.Type))
		}
	case f.Slow():
		return "", f.Reason()
	case slices.Contains(checks, f.Code):
		return "", p.violates(f)
	}
	// PostgreSQL names the column in a COPY, but not in an INSERT: what a message says must not depend on it.
	if c, ok := p.Table.Column(f.Column); ok && p.dialect != database.Postgres {
		return c.Name, fmt.Sprintf("The %s field %s", p.words(c.Name), unfit(c.Type))
	}
	return "", ""
}

// checks are the codes of a CHECK that is violated: of PostgreSQL, SQLite, MariaDB and MySQL.
var checks = []string{"23514", "275", "4025", "3819"}

func (p *plan) violates(f database.Fault) string {
	name := strings.TrimPrefix(f.Constraint, p.Table.Name+".") // MariaDB's name for a column's own
	if !identifier.MatchString(name) {
		return ""
	}
	return fmt.Sprintf("The row violates '%s'.", name)
}

func bounds(t column.Type) string {
	switch {
	case t.Kind == column.Integer && t.Bits > 0:
		least, greatest := t.Bounds()
		return "be between " + least + " and " + greatest
	case t.Kind == column.Decimal && t.Precision > t.Scale && !strings.HasSuffix(t.Native, "unsigned"):
		return fmt.Sprintf("not have more than %d digits before the decimal point", t.Precision-t.Scale)
	default:
		return "be a number that the column can hold"
	}
}

// unfit is what is wrong with a value that its column refuses, where the database says no more than that.
func unfit(t column.Type) string {
	if strings.HasPrefix(t.Native, "enum(") || strings.HasPrefix(t.Native, "set(") {
		return string(column.NotMember)
	}
	return "must be a value that the column can hold."
}

// uniqueColumns are the columns of the unique index that refused a row; nil for one that Unique does not list.
func (p *plan) uniqueColumns(f database.Fault) []string {
	if !f.Unique() {
		return nil
	}
	if len(f.Columns) > 0 {
		return f.Columns
	}
	for _, index := range p.Table.Unique {
		if index.Name == f.Constraint {
			return index.Columns
		}
	}
	return nil
}

// onKey says that it was the key's own unique index that refused a row.
func (p *plan) onKey(f database.Fault) bool {
	columns := p.uniqueColumns(f)
	if len(columns) != len(p.Key) {
		return false
	}
	for _, k := range p.Key {
		if !slices.Contains(columns, p.Columns[k].Name) {
			return false
		}
	}
	return true
}

// position is where a column is that is written.
func (p *plan) position(name string) int {
	for i, c := range p.Columns {
		if c.Name == name && !p.aside(i) {
			return i
		}
	}
	return -1
}

func (p *plan) label(i int) (source, words string) {
	if p.Label == nil || i >= p.mapped {
		return p.Columns[i].Name, strings.ReplaceAll(p.Columns[i].Name, "_", " ")
	}
	return p.Label(i)
}

// words names a column in a message: by its source if it is mapped.
func (p *plan) words(name string) string {
	if i := p.position(name); i >= 0 {
		_, words := p.label(i)
		return words
	}
	return strings.ReplaceAll(name, "_", " ")
}
