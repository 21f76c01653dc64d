package destination

import (
	"strings"
	"time"

	"ingest/shared/column"
)

// isNewer says that a row's value is greater than the stored one, or that none is stored.
func (q *sqlite) isNewer(stored any, value column.Value) bool {
	c := q.Columns[q.Compare]
	old := canonical(c, stored)
	return old.State == column.Null || value.State == column.Set && less(c, old.Text, value.Text)
}

// less compares two texts as values of a column's type; what is no value of it is not less.
func less(c column.Column, a, b string) bool {
	switch c.Type.Kind {
	case column.Date, column.Datetime:
		x, isMoment := column.ParseInstant(a, time.UTC)
		y, too := column.ParseInstant(b, time.UTC)
		return isMoment && too && x.Time.Before(y.Time)
	case column.Integer, column.Decimal, column.Float:
		x, isNumber := column.ParseNumber(a)
		y, too := column.ParseNumber(b)
		return isNumber && too && x.Compare(y) < 0
	default:
		return strings.Compare(folded(c, a), folded(c, b)) < 0
	}
}
