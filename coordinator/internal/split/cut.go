package split

import (
	"github.com/cespare/xxhash/v2"

	"ingest/shared/chunk"
	"ingest/shared/row"
	"ingest/shared/run"
)

// route appends a row's routing form to buf; false means that the row meets no other row by its key.
type route func(r row.Row, buf []byte) ([]byte, bool)

// place is where a row went: a partition and the number of the chunk it is in.
type place struct {
	partition int
	chunk     int64
}

// cutter puts rows on partitions and cuts them into chunks. It is pure: the same manifest and the same rows give
// the same chunks, whatever is done with them.
type cutter struct {
	manifest run.Manifest
	route    route
	form     []byte
	lanes    []lane
}

// lane is one partition: the chunk that is being filled.
type lane struct {
	number  int64
	rows    int64
	builder chunk.Builder
}

func newCutter(m run.Manifest, by route) *cutter {
	c := &cutter{manifest: m, route: by, lanes: make([]lane, m.Partitions)}
	for p := range c.lanes {
		c.lanes[p].number = 1
	}
	return c
}

// add appends a row to its partition's chunk. full says that the chunk is complete: the caller must take it.
func (c *cutter) add(r row.Row) (at place, full bool) {
	p := c.partition(r)
	l := &c.lanes[p]
	l.builder.Append(r)
	l.rows++
	return place{p, l.number}, l.builder.Rows() >= c.manifest.ChunkRows || l.builder.Bytes() >= c.manifest.ChunkBytes
}

// take ends the partition's chunk, which is the caller's from now on, and begins the next one in an empty builder.
func (c *cutter) take(p int, empty chunk.Builder) (number int64, full chunk.Builder) {
	l := &c.lanes[p]
	number, full = l.number, l.builder
	l.builder = empty
	l.number++
	return number, full
}

// drop ends the partition's chunk for who does not want its rows.
func (c *cutter) drop(p int) {
	c.lanes[p].builder.Reset()
	c.lanes[p].number++
}

// rest lists the partitions whose last chunk is not empty.
func (c *cutter) rest() []int {
	var open []int
	for p := range c.lanes {
		if c.lanes[p].builder.Rows() > 0 {
			open = append(open, p)
		}
	}
	return open
}

// seals are the chunk and row counts of every partition, once the rest is taken.
func (c *cutter) seals() (chunks, rows []int64) {
	for p := range c.lanes {
		chunks = append(chunks, c.lanes[p].number-1)
		rows = append(rows, c.lanes[p].rows)
	}
	return chunks, rows
}

// partition is hash(routing form) mod P for a row with a key; others go round-robin in blocks of chunk_size.
func (c *cutter) partition(r row.Row) int {
	if c.manifest.Partitions == 1 {
		return 0
	}
	form, ok := c.route(r, c.form[:0])
	c.form = form[:0]
	if ok {
		return int(xxhash.Sum64(form) % uint64(c.manifest.Partitions))
	}
	return int((r.Number - 1) / int64(c.manifest.ChunkRows) % int64(c.manifest.Partitions))
}
