package split

// How many partitions a source gets by its size. The more there are, the more workers share it, and the further apart lie
// the keys of a chunk: each of its rows then finds its place in an index on its own, and a commit writes more pages. A
// sink has no index.
const (
	// partitionBytes is how much of a source one partition is for: a small import is one transaction.
	partitionBytes = 4 << 20
	// few keep one worker busy; further ones in a database are for other workers, and for as much of a source as laterBytes.
	few        = 4
	laterBytes = 32 << 20
	// single is enough where one transaction at a time writes: a chunk is checked while another one is written.
	single = 2
)

// where is what partitions are written to.
type where int

const (
	// sinks take chunks without order or index.
	sinks where = iota
	// servers are databases that many write at once.
	servers
	// files are databases with one writer: SQLite.
	files
)

// lanes is the number of partitions of a source of that size, at least 1 and at most most.
func lanes(size int64, most int, to where) int {
	n := parts(size, partitionBytes)
	switch to {
	case servers:
		n = min(n, few+parts(size-few*partitionBytes, laterBytes))
	case files:
		n = min(n, single)
	case sinks:
	}
	return max(1, min(n, most))
}

// parts is how many of that size there are in a size, the last one not full; none in less than nothing.
func parts(size, of int64) int { return int((max(0, size) + of - 1) / of) }
