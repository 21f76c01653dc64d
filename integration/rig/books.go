package rig

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// Books are what the places that know a run say about it: registry, ledger and the command line.
type Books struct {
	Status string
	Reason string
	// Retry says that the rows came from another run, so that their numbers have gaps.
	Retry bool
	// Final is the registry's, nil while the run is not terminal.
	Final  *Final
	Heads  []Head
	Chunks []Chunk
	Shown  Run
	Errors ErrorSummary
}

// Final are the registry's final numbers.
type Final struct {
	Total        int64          `json:"total"`
	NotProcessed int64          `json:"not_processed"`
	Counts       Counts         `json:"counts"`
	Errors       []MessageCount `json:"errors"`
	Validation   []MessageCount `json:"validation"`
}

// Counts are rows by outcome.
type Counts struct {
	Created   int64 `json:"created"`
	Updated   int64 `json:"updated"`
	Unchanged int64 `json:"unchanged"`
	Skipped   int64 `json:"skipped"`
	Failed    int64 `json:"failed"`
}

func (c Counts) sum() int64 { return c.Created + c.Updated + c.Unchanged + c.Skipped + c.Failed }

func (c Counts) plus(o Counts) Counts {
	return Counts{c.Created + o.Created, c.Updated + o.Updated, c.Unchanged + o.Unchanged, c.Skipped + o.Skipped, c.Failed + o.Failed}
}

func (c Counts) negative() bool {
	return min(c.Created, c.Updated, c.Unchanged, c.Skipped, c.Failed) < 0
}

// Head is a row of ingest_partitions; -1 = not sealed.
type Head struct {
	Partition    int64
	Next         int64
	Closed       bool
	SealedChunks int64
	SealedRows   int64
	Counts       Counts
}

// Chunk is a row of ingest_chunks.
type Chunk struct {
	Partition  int64
	Number     int64
	First      int64
	Last       int64
	Counts     Counts
	Errors     map[string]int64
	Validation map[string]int64
}

// Problems lists what contradicts the invariants of a terminal run: the numbers balance (I1), chunks are 1..N without
// overlap and hold every row once (I2), what is shown equals the ledger (I4), histograms add up (I5), heads agree with
// their chunks (I11). Empty = the books are right.
func (b Books) Problems() []string {
	var found []string
	problem := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if b.Final == nil {
		problem("I1: a run with status %s has no final numbers", b.Status)
		return found
	}
	b.balance(problem)
	b.chunks(problem)
	b.heads(problem)
	b.shown(problem)
	b.histograms(problem)
	return found
}

type report func(format string, args ...any)

func (b Books) ledger() Counts {
	var all Counts
	for _, chunk := range b.Chunks {
		all = all.plus(chunk.Counts)
	}
	return all
}

func (b Books) balance(problem report) {
	final := b.Final
	if final.Counts.negative() || final.Total < 0 || final.NotProcessed < 0 {
		problem("I1: a final number is negative: %+v", *final)
	}
	if final.Total != final.Counts.sum()+final.NotProcessed {
		problem("I1: total %d is not processed %d + not processed %d", final.Total, final.Counts.sum(), final.NotProcessed)
	}
	if all := b.ledger(); all != final.Counts {
		problem("I4: the registry has %+v, the ledger %+v", final.Counts, all)
	}
	switch b.Status {
	case "completed":
		if final.Counts.Failed != 0 || final.NotProcessed != 0 {
			problem("I1: completed with %d failed and %d unprocessed rows", final.Counts.Failed, final.NotProcessed)
		}
	case "completed_with_errors":
		if final.Counts.Failed == 0 || final.NotProcessed != 0 {
			problem("I1: completed with errors with %d failed and %d unprocessed rows", final.Counts.Failed, final.NotProcessed)
		}
	case "failed":
		if b.Reason == "" {
			problem("I1: failed without a reason")
		}
	case "cancelled":
	default:
		problem("I1: %s is not a terminal status", b.Status)
	}
}

func (b Books) chunks(problem report) {
	sorted := slices.SortedFunc(slices.Values(b.Chunks), func(x, y Chunk) int {
		return cmp.Or(cmp.Compare(x.Partition, y.Partition), cmp.Compare(x.Number, y.Number))
	})
	var last int64
	before := Chunk{Partition: -1}
	for _, chunk := range sorted {
		if chunk.Partition != before.Partition {
			before = Chunk{Partition: chunk.Partition}
		}
		if chunk.Number != before.Number+1 {
			problem("I2: partition %d: chunk %d follows chunk %d", chunk.Partition, chunk.Number, before.Number)
		}
		if chunk.First <= before.Last || chunk.Last < chunk.First {
			problem("I2: partition %d: chunk %d has rows %d–%d after row %d", chunk.Partition, chunk.Number, chunk.First, chunk.Last, before.Last)
		}
		if rows := chunk.Counts.sum(); rows < 1 || rows > chunk.Last-chunk.First+1 || chunk.Counts.negative() {
			problem("I2: partition %d: chunk %d has %d outcomes for rows %d–%d", chunk.Partition, chunk.Number, rows, chunk.First, chunk.Last)
		}
		before, last = chunk, max(last, chunk.Last)
	}
	if b.completed() && !b.Retry && last != b.Final.Total {
		problem("I2: the last row of the ledger is %d, the run has %d rows", last, b.Final.Total)
	}
	if !b.Retry && last < b.Final.Counts.sum() {
		problem("I2: %d outcomes, but the last row is %d: a row has two", b.Final.Counts.sum(), last)
	}
}

func (b Books) completed() bool {
	return b.Status == "completed" || b.Status == "completed_with_errors"
}

func (b Books) heads(problem report) {
	counts, chunks, greatest := map[int64]Counts{}, map[int64]int64{}, map[int64]int64{}
	for _, chunk := range b.Chunks {
		counts[chunk.Partition] = counts[chunk.Partition].plus(chunk.Counts)
		chunks[chunk.Partition]++
		greatest[chunk.Partition] = max(greatest[chunk.Partition], chunk.Number)
	}
	var rows int64
	for _, head := range b.Heads {
		p := head.Partition
		if head.Next-1 != chunks[p] || head.Next-1 != greatest[p] {
			problem("I11: partition %d: next chunk is %d, but there are %d chunks up to number %d", p, head.Next, chunks[p], greatest[p])
		}
		if head.Counts != counts[p] {
			problem("I11: partition %d: the head has %+v, its chunks %+v", p, head.Counts, counts[p])
		}
		if b.completed() && (head.SealedChunks != head.Next-1 || head.SealedRows != counts[p].sum()) {
			problem("I11: partition %d: sealed with %d chunks and %d rows, applied %d and %d",
				p, head.SealedChunks, head.SealedRows, head.Next-1, counts[p].sum())
		}
		if !b.completed() && !head.Closed {
			problem("I11: partition %d of a stopped run is open", p)
		}
		rows += counts[p].sum()
		delete(counts, p)
	}
	if len(counts) != 0 {
		problem("I11: %d partitions have chunks and no head", len(counts))
	}
	if b.completed() && rows != b.Final.Total {
		problem("I11: the heads have %d rows, the run %d", rows, b.Final.Total)
	}
}

func (b Books) shown(problem report) {
	shown := Counts{b.Shown.Created, b.Shown.Updated, b.Shown.Unchanged, b.Shown.Skipped, b.Shown.Progress.Failed}
	if shown != b.Final.Counts || b.Shown.NotProcessed != b.Final.NotProcessed || b.Shown.Progress.Total != b.Final.Total {
		problem("I4: shown are %+v, %d not processed of %d; final are %+v, %d of %d", shown, b.Shown.NotProcessed,
			b.Shown.Progress.Total, b.Final.Counts, b.Final.NotProcessed, b.Final.Total)
	}
	if b.Shown.Progress.Processed != shown.sum() || b.Shown.Progress.Successful != shown.sum()-shown.Failed {
		problem("I4: shown are %d processed and %d successful for %+v", b.Shown.Progress.Processed, b.Shown.Progress.Successful, shown)
	}
	if b.Shown.Status != b.Status || !b.Shown.TotalFinal {
		problem("I4: shown is status %s (total final: %t), the registry has %s", b.Shown.Status, b.Shown.TotalFinal, b.Status)
	}
}

// histogramCap is how many distinct messages a histogram keeps; beyond only sums can be compared.
const histogramCap = 1000

func (b Books) histograms(problem report) {
	failed, validation := map[string]int64{}, map[string]int64{}
	for _, chunk := range b.Chunks {
		var sum int64
		for message, count := range chunk.Errors {
			failed[message] += count
			sum += count
		}
		for message, count := range chunk.Validation {
			validation[message] += count
		}
		if sum != chunk.Counts.Failed {
			problem("I5: partition %d: chunk %d counts %d failed rows and %d messages", chunk.Partition, chunk.Number, chunk.Counts.Failed, sum)
		}
	}
	if b.Errors.TotalFailedRows != b.Final.Counts.Failed {
		problem("I5: the error summary has %d failed rows, the run %d", b.Errors.TotalFailedRows, b.Final.Counts.Failed)
	}
	compare := func(where string, want map[string]int64, got []MessageCount) {
		counts := map[string]int64{}
		var sum, all int64
		for _, entry := range got {
			counts[entry.Message] += entry.Count
			sum += entry.Count
		}
		for _, count := range want {
			all += count
		}
		if sum != all {
			problem("I5: %s sums to %d, the ledger to %d", where, sum, all)
		}
		if len(want) <= histogramCap && !reflect.DeepEqual(want, counts) {
			problem("I5: %s is %v, the ledger has %v", where, counts, want)
		}
		if !slices.IsSortedFunc(got, func(x, y MessageCount) int {
			return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Message, y.Message))
		}) {
			problem("I5: %s is not ordered by count and message", where)
		}
	}
	compare("the registry's error histogram", failed, b.Final.Errors)
	compare("the registry's validation histogram", validation, b.Final.Validation)
	compare("the error summary", failed, b.Errors.ErrorSummary)
	compare("the validation summary", validation, b.Errors.ValidationSummary)
}

// decodeHistogram reads what ingest_chunks keeps; NULL means that no row failed.
func decodeHistogram(text string, chunk *Chunk) error {
	if text == "" {
		return nil
	}
	var both struct {
		Errors     map[string]int64 `json:"errors"`
		Validation map[string]int64 `json:"validation"`
	}
	if err := json.Unmarshal([]byte(text), &both); err != nil {
		return fmt.Errorf("read a histogram: %w", err)
	}
	chunk.Errors, chunk.Validation = both.Errors, both.Validation
	return nil
}
