package importer

import "slices"

// parallel refuses a number of partitions that is exact and greater than the bound.
func (p *parsing) parallel() {
	if d := &p.d; d.MaxParallel > 0 && d.Partitions > d.MaxParallel {
		p.Report(p.partitions, "leave one of them out", "partitions is exactly %d, but max_parallel allows no more than %d", d.Partitions, d.MaxParallel)
	}
}

// unindexed refuses to do without a unique index where it says nothing, and where rows hang on those of a key: of several
// rows with one key nobody could say which.
func (p *parsing) unindexed() {
	d := &p.d
	switch {
	case !d.Destination.NoUniqueIndex:
	case len(d.Key) == 0 && len(p.keyNodes) == 0:
		p.Report(p.uniqueIndex, "add `key`, or leave it out", "`unique_index: false` is about a key, and there is none")
	case len(d.Nested) > 0:
		p.Report(p.uniqueIndex, "", "`unique_index: false` does not go with nested: rows of a list belong to one row of the table")
	case slices.ContainsFunc(d.Relations, Relation.Many):
		p.Report(p.uniqueIndex, "", "`unique_index: false` does not go with many: rows of a pivot table belong to one row of the table")
	}
}
