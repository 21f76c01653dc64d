package split

import (
	"fmt"
	"slices"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ingest/shared/chunk"
	"ingest/shared/row"
	"ingest/shared/run"
)

// byFirstCell routes by the first cell; an empty one meets nothing.
func byFirstCell(r row.Row, buf []byte) ([]byte, bool) {
	return append(buf, r.Cells[0]...), r.Cells[0] != ""
}

// cutAll returns the row numbers of every chunk: partition → chunk → numbers.
func cutAll(t interface{ Fatal(args ...any) }, m run.Manifest, rows []row.Row) [][][]int64 {
	cut := newCutter(m, byFirstCell)
	chunks := make([][][]int64, m.Partitions)
	take := func(p int) {
		number, full := cut.take(p, chunk.Builder{})
		decoded, _, err := chunk.Decode(full.Payload())
		if err != nil {
			t.Fatal(err)
		}
		var numbers []int64
		for _, r := range decoded {
			numbers = append(numbers, r.Number)
		}
		chunks[p] = append(chunks[p], numbers)
		if int(number) != len(chunks[p]) {
			t.Fatal("chunk ", number, " is the ", len(chunks[p]), "th of partition ", p)
		}
	}
	for _, r := range rows {
		if at, full := cut.add(r); full {
			take(at.partition)
		}
	}
	for _, p := range cut.rest() {
		take(p)
	}
	return chunks
}

// dumbCut is the same by the definition alone: rows by partition, then slices of chunk_size.
func dumbCut(m run.Manifest, rows []row.Row) [][][]int64 {
	chunks := make([][][]int64, m.Partitions)
	lanes := make([][]int64, m.Partitions)
	for _, r := range rows {
		p := int((r.Number - 1) / int64(m.ChunkRows) % int64(m.Partitions))
		if r.Cells[0] != "" {
			p = int(xxhash.Sum64String(r.Cells[0]) % uint64(m.Partitions))
		}
		lanes[p] = append(lanes[p], r.Number)
	}
	for p, lane := range lanes {
		chunks[p] = slices.Collect(slices.Chunk(lane, m.ChunkRows))
	}
	return chunks
}

func TestChunksDependOnTheManifestAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := run.Manifest{
			Partitions: rapid.IntRange(1, 5).Draw(t, "partitions"), ChunkRows: rapid.IntRange(1, 7).Draw(t, "rows"),
			ChunkBytes: 1 << 20,
		}
		var rows []row.Row
		for i := range rapid.IntRange(0, 60).Draw(t, "count") {
			key := rapid.SampledFrom([]string{"", "a", "b", "c", "d", "e"}).Draw(t, "key")
			rows = append(rows, row.Row{Number: int64(i + 1), Cells: []string{key}})
		}
		if diff := cmp.Diff(dumbCut(m, rows), cutAll(t, m, rows)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestAChunkOfLongRowsClosesByBytes(t *testing.T) {
	t.Parallel()
	m := run.Manifest{Partitions: 1, ChunkRows: 1000, ChunkBytes: 100}
	var rows []row.Row
	for i := range 4 {
		rows = append(rows, row.Row{Number: int64(i + 1), Cells: []string{fmt.Sprintf("%060d", i)}})
	}
	if diff := cmp.Diff([][][]int64{{{1, 2}, {3, 4}}}, cutAll(t, m, rows)); diff != "" {
		t.Fatal(diff)
	}
}

func TestSealsCountEveryRowOnce(t *testing.T) {
	t.Parallel()
	m := run.Manifest{Partitions: 2, ChunkRows: 2, ChunkBytes: 1 << 20}
	cut := newCutter(m, byFirstCell)
	for i := range 5 {
		at, full := cut.add(row.Row{Number: int64(i + 1), Cells: []string{""}})
		if at.chunk < 1 {
			t.Fatalf("row %d is in chunk %d", i+1, at.chunk)
		}
		if full {
			cut.drop(at.partition)
		}
	}
	for _, p := range cut.rest() {
		cut.drop(p)
	}
	chunks, rows := cut.seals()
	if diff := cmp.Diff([][]int64{{2, 1}, {3, 2}}, [][]int64{chunks, rows}); diff != "" {
		t.Fatal(diff)
	}
}
