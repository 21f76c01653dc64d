package run

import (
	"encoding/json"
	"time"
)

// Run is one execution of an importer, as the registry knows it.
type Run struct {
	// ID is for people and keys; UID (128 random bits, hex) is for the ledger.
	ID        int64
	UID       string
	Namespace string
	Importer  string
	// Connection names the destination's connection, where the ledger of the run is.
	Connection string
	// Definition is the importer as it was when the run was created (importer.Definition as JSON), Hash its hash.
	Definition json.RawMessage
	Hash       string
	// Origin says where the rows come from; fixed at creation, but for where a fetched source lies, which is fixed with the
	// manifest.
	Origin Origin
	// Manifest is nil until the source has been looked at (see Manifest).
	Manifest *Manifest
	DryRun   bool
	Status   Status
	// Reason says why the run failed or will fail. It is set before the status becomes failed.
	Reason   string
	Warnings []string
	// Parent is the run this one retries, RetriedBy the newest real retry of this one; 0 = none.
	Parent    int64
	RetriedBy int64
	// Request identifies the request that an idempotency key stood for; empty without one.
	Request string
	User    string
	// Filename is what people call the source.
	Filename    string
	CreatedAt   time.Time
	StartedAt   time.Time
	CompletedAt time.Time
	// Final is nil until the run is terminal.
	Final *Final
}

// Origin says where the rows of a run come from: a file, or what its parent left.
type Origin struct {
	// Fetch says that a coordinator brings the file from the source of the definition into its spool. Path is empty until it
	// lies there, complete.
	Fetch bool `json:"fetch,omitempty"`
	// Path is the absolute path of the file that is read; empty in a retry that needs only the rows its parent kept. Where
	// the run has none of its own (see Own), it is that of the run which is read again.
	Path string `json:"path,omitempty"`
	// Spool is the id of the spool that sees Path: only a coordinator with this spool splits the run.
	Spool string `json:"spool"`
	// Spooled says that Path lies in the spool and is deleted with the run.
	Spooled bool `json:"spooled,omitempty"`
	// Retry selects rows of the parent.
	Retry *Selection `json:"retry,omitempty"`
}

// Own says that a run reads a file of its own, as every run but a retry without one does.
func (o Origin) Own() bool { return o.Retry == nil || o.Retry.With }

// Selection says which rows of a parent a retry takes.
type Selection struct {
	// With says that the rows are those of Path: mended ones, under the numbers of failed rows of the parent.
	With bool `json:"with,omitempty"`
	// Error takes only failed rows with exactly this message; empty = all failed rows.
	Error string `json:"error,omitempty"`
	// Unprocessed takes along the rows the parent never processed.
	Unprocessed bool `json:"unprocessed,omitempty"`
}

// Final are the numbers of a terminal run. They never change and equal the ledger.
type Final struct {
	Total        int64 `json:"total"`
	NotProcessed int64 `json:"not_processed"`
	// BytesRead is how far the source was read.
	BytesRead  int64          `json:"bytes_read"`
	Counts     Counts         `json:"counts"`
	Errors     []MessageCount `json:"errors"`
	Validation []MessageCount `json:"validation"`
	// Warnings are what is to be said of the run beside its numbers.
	Warnings []string `json:"warnings,omitempty"`
}

// MessageCount is one line of a histogram.
type MessageCount struct {
	Message string `json:"message"`
	Count   int64  `json:"count"`
}
