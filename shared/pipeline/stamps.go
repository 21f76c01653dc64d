package pipeline

import "ingest/shared/column"

// Stamp is a column that has the time at which the run began.
type Stamp struct {
	Column column.Column
	Value  column.Value
	// Update says that a change of the row sets it, too, not only its creation.
	Update bool
}

// The columns of `timestamps`.
const (
	createdAt = "created_at"
	updatedAt = "updated_at"
)

// Stamps are the stamps of a table's rows: of the columns there are but those that have values of their own. Without
// `timestamps` there are none.
func (p *Program) Stamps(table column.Table, own []column.Column) (list []Stamp) {
	if p.stamp == "" {
		return nil
	}
	for _, name := range []string{createdAt, updatedAt} {
		c, ok := table.Column(name)
		for _, o := range own {
			ok = ok && o.Name != name
		}
		if !ok || c.Generated {
			continue
		}
		if value, problem := column.Convert(p.stamp, c); problem == "" {
			list = append(list, Stamp{Column: c, Value: value, Update: name == updatedAt})
		}
	}
	return list
}

// checkStamps answers whether a table can have the stamps that the importer asks for.
func checkStamps(table column.Table) error {
	for _, name := range []string{createdAt, updatedAt} {
		if _, ok := table.Column(name); !ok {
			return &Error{"The table '" + table.Name + "' has no column '" + name + "' (timestamps)."}
		}
	}
	return nil
}
