package run

import (
	"encoding/json"
	"fmt"
	"time"

	"ingest/shared/column"
)

// SplitterVersion changes whenever the same manifest would give other chunks.
const SplitterVersion = 1

// Which rows are kept with the outcome of their chunk: the failed ones with their data, all with their data, or the
// numbers and messages of the failed ones without a cell; a retry then reads the source again.
const (
	LogFailed = "failed"
	LogAll    = "all"
	LogNone   = "none"
)

// Manifest is what makes a run repeatable: with it, the same source gives the same chunks on any machine. It is
// fixed once, when the source lies complete and before the first chunk is emitted.
type Manifest struct {
	Splitter int `json:"splitter"`
	// Started is when the run began to read, for expressions: every worker sees the same time. Zero in old runs.
	Started time.Time `json:"started,omitzero"`
	// Fingerprint pins the source.
	Fingerprint Fingerprint `json:"fingerprint"`
	// Content is a hash over the whole source, empty where nobody asked whether it is unchanged.
	Content string `json:"content,omitempty"`
	// UnchangedSince is the run that imported the same source before, so that this one imports nothing; 0 = none.
	UnchangedSince int64 `json:"unchanged_since,omitempty"`
	// Expected is how many rows there should be where that is known before they are read; 0 = not known.
	Expected int64 `json:"expected,omitempty"`
	// Delimiter and Header are what was found in the file.
	Delimiter string   `json:"delimiter"`
	Header    []string `json:"header"`
	// Partitions is the number of ordered lanes; a chunk holds up to ChunkRows rows or ChunkBytes of encoded rows.
	Partitions int `json:"partitions"`
	ChunkRows  int `json:"chunk_rows"`
	ChunkBytes int `json:"chunk_bytes"`
	// Staged says that the run stands or falls as a whole: the rows of its partitions go to staging, and the one chunk of
	// one more partition merges them into the table.
	Staged bool `json:"staged,omitempty"`
	// OneBecause says why rows with different keys can meet, so that there is one partition; empty otherwise.
	OneBecause string `json:"one_because,omitempty"`
	// Locks are the tables whose chunks go one after the other over all runs, in order; none for a dry run.
	Locks []string `json:"locks,omitempty"`
	// Table is the destination table as the catalog described it: types of values, routing form of the key.
	Table column.Table `json:"table"`
	// Tables are all tables of the definition, by the names it has for them.
	Tables map[string]column.Table `json:"tables,omitempty"`
	// LogRows says which rows the outcomes keep: LogFailed, LogAll or LogNone.
	LogRows  string   `json:"log_rows"`
	Warnings []string `json:"warnings,omitempty"`
}

// Lanes is how many partitions there are in ledger and Redis: those that rows go to and, of a staged run, that of the merge.
func (m Manifest) Lanes() int {
	if m.Staged {
		return m.Partitions + 1
	}
	return m.Partitions
}

// Merge is the partition of the merge, -1 of a run that has none.
func (m Manifest) Merge() int {
	if m.Staged {
		return m.Partitions
	}
	return -1
}

// Fingerprint identifies the content of a source file. It is empty where none is read: a terminal run's ledger, which a
// retry reads, never changes.
type Fingerprint struct {
	Size int64 `json:"size"`
	// ModTime is in nanoseconds since 1970.
	ModTime int64 `json:"mod_time"`
	// Sum is a hash over the first and the last 64 KiB.
	Sum string `json:"sum"`
}

// Encode is the manifest as registry and Redis keep it: JSON.
func (m Manifest) Encode() ([]byte, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	return text, nil
}

// DecodeManifest is the inverse of Encode.
func DecodeManifest(text []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("decode manifest: %w", err)
	}
	if m.Splitter != SplitterVersion {
		return m, fmt.Errorf("the run was begun with splitter version %d, this program has %d", m.Splitter, SplitterVersion)
	}
	return m, nil
}
