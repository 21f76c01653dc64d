package destination

import "ingest/shared/column"

// op is what an item does to the table.
type op uint8

const (
	nothing op = iota
	look
	insert
	returning // insert, and the row's own value is wanted back
	update
)

// item is what one statement row does: one source row, or several of one key folded into one.
type item struct {
	row    int
	follow []int // later occurrences that are folded into this one
	id     string
	shape  *shape
	values []column.Value // what is written

	exists  bool // the key is in the table
	differs bool // and a present value differs from the stored one, or from that of one of several rows
	moves   bool // and one of them is part of another unique index
	newer   bool // what UpdateIfNewer compares is greater than what is stored in every row with the key, or nothing is
	gone    bool // an update found no row
	hoped   bool // it is written without having been looked for
	refused bool // several rows folded into one were refused: they go one by one

	own      column.Value // plan.Own as it was inserted
	op       op
	outcomes []Outcome // of row and follow
}

// unseen forgets what was seen of the table.
func (it *item) unseen() { it.exists, it.differs, it.moves, it.newer = false, false, false, false }

// at is the i-th source row of the item.
func (it *item) at(i int) int {
	if i == 0 {
		return it.row
	}
	return it.follow[i-1]
}
