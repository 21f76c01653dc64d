package split

import (
	"testing"

	"ingest/shared/database"
	"ingest/shared/importer"
)

func TestPartitionsBySizeAndStore(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for _, of := range []struct {
		size                       int64
		anywhere, table, oneWriter int
	}{
		{0, 1, 1, 1},
		{1, 1, 1, 1},
		{4 * mib, 1, 1, 1},
		{4*mib + 1, 2, 2, 2},
		{11 * mib, 3, 3, 2},
		{16 * mib, 4, 4, 2},
		{16*mib + 1, 5, 5, 2},
		{24 * mib, 6, 5, 2},
		{48 * mib, 12, 5, 2},
		{48*mib + 1, 13, 6, 2},
		{113_000_000, 16, 7, 2},
		{368 * mib, 16, 15, 2},
		{368*mib + 1, 16, 16, 2},
		{1 << 50, 16, 16, 2},
	} {
		a, b, c := partitionsBySize(of.size, 16, anywhere), partitionsBySize(of.size, 16, keyedTable), partitionsBySize(of.size, 16, oneWriter)
		if a != of.anywhere || b != of.table || c != of.oneWriter {
			t.Errorf("%d bytes: %d, %d, %d partitions, want %d, %d, %d", of.size, a, b, c, of.anywhere, of.table, of.oneWriter)
		}
	}
	if n := partitionsBySize(1<<40, 3, keyedTable); n != 3 {
		t.Errorf("%d partitions where 3 are the most", n)
	}
	if n := partitionsBySize(1<<40, 1, oneWriter); n != 1 {
		t.Errorf("%d partitions where 1 is the most", n)
	}
}

func TestWhereKeysAreScattered(t *testing.T) {
	t.Parallel()
	keyed := importer.Definition{Key: []string{"id"}}
	staged := importer.Definition{Key: []string{"id"}, Transaction: importer.TransactionRun}
	for name, of := range map[string]struct {
		definition importer.Definition
		sink       bool
		dialect    database.Dialect
		want       store
	}{
		"rows with a key on PostgreSQL": {keyed, false, database.Postgres, keyedTable},
		"rows with a key on MySQL":      {keyed, false, database.MySQL, keyedTable},
		"rows with a key on SQLite":     {keyed, false, database.SQLite, oneWriter},
		"rows without a key":            {importer.Definition{}, false, database.Postgres, anywhere},
		"rows without a key on SQLite":  {importer.Definition{}, false, database.SQLite, oneWriter},
		"staged rows":                   {staged, false, database.Postgres, anywhere},
		"a sink beside SQLite":          {keyed, true, database.SQLite, anywhere},
	} {
		if got := storeOf(of.definition, of.sink, of.dialect); got != of.want {
			t.Errorf("%s: %d, want %d", name, got, of.want)
		}
	}
}
