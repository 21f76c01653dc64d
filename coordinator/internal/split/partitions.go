package split

import (
	"ingest/shared/database"
	"ingest/shared/importer"
)

// How many partitions a source gets by its size. The more there are, the more workers share it, and the further apart lie
// the keys of a chunk: each of its rows then finds its place in an index on its own, and a commit writes more pages.
const (
	// partitionBytes is how much of a source one partition is for: a small import is one transaction.
	partitionBytes = 4 << 20
	// Beyond fewPartitions, where keys are scattered, one is for laterBytes.
	fewPartitions = 4
	laterBytes    = 32 << 20
	// filePartitions are enough where one transaction at a time writes: a chunk is checked while another one is written.
	filePartitions = 2
)

// store is what the rows of several partitions are written to at once.
type store int

const (
	// anywhere: nothing is scattered. Sinks have no index, rows without a key are in partitions by stretches of the file, and rows
	// that are staged are merged in its order.
	anywhere store = iota
	// keyedTable: the indexes of a server's table meet the keys of every partition.
	keyedTable
	// oneWriter: SQLite.
	oneWriter
)

// storeOf says where the rows of an importer go. sink says that its connection is no database.
func storeOf(d importer.Definition, sink bool, dialect database.Dialect) store {
	switch {
	case sink:
		return anywhere
	case dialect == database.SQLite:
		return oneWriter
	case len(d.Key) == 0 || d.Transaction == importer.TransactionRun:
		return anywhere
	default:
		return keyedTable
	}
}

// partitionsBySize is the number of partitions of a source of that size, at least 1 and at most most.
func partitionsBySize(size int64, most int, to store) int {
	n := pieces(size, partitionBytes)
	switch to {
	case keyedTable:
		n = min(n, fewPartitions+pieces(size-fewPartitions*partitionBytes, laterBytes))
	case oneWriter:
		n = min(n, filePartitions)
	case anywhere:
	}
	return max(1, min(n, most))
}

// pieces is how many of that size there are in a size, the last one not full; none in less than nothing.
func pieces(size, of int64) int { return int((max(0, size) + of - 1) / of) }
