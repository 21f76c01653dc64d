package control

import (
	"time"

	"ingest/shared/run"
)

// Resource is a run as every surface shows it: the REST body, the CLI's json. The keys come in this order.
type Resource struct {
	ID               int64      `json:"id"`
	Importer         string     `json:"importer"`
	Status           run.Status `json:"status"`
	UserID           string     `json:"user_id"`
	OriginalFilename string     `json:"original_filename"`
	Progress         Progress   `json:"progress"`
	Summary          *Summary   `json:"summary"`
	StartedAt        *Time      `json:"started_at"`
	CompletedAt      *Time      `json:"completed_at"`
	DryRun           bool       `json:"dry_run"`
	Created          int64      `json:"created"`
	Updated          int64      `json:"updated"`
	Unchanged        int64      `json:"unchanged"`
	Skipped          int64      `json:"skipped"`
	NotProcessed     int64      `json:"not_processed"`
	RowsPerSecond    int64      `json:"rows_per_second"`
	BytesRead        int64      `json:"bytes_read"`
	BytesTotal       int64      `json:"bytes_total"`
	TotalFinal       bool       `json:"total_final"`
	ParentID         *int64     `json:"parent_id"`
	RetriedFromRunID *int64     `json:"retried_from_run_id"`
	RetriedBy        *int64     `json:"retried_by"`
	WaitingFor       *string    `json:"waiting_for"`
	Reason           *string    `json:"reason"`
	Rows             []Row      `json:"rows,omitzero"`
}

// Progress are the numbers of a run; processed = successful + failed. Total is an estimate until TotalFinal.
type Progress struct {
	Total      int64 `json:"total"`
	Processed  int64 `json:"processed"`
	Successful int64 `json:"successful"`
	Failed     int64 `json:"failed"`
}

// Summary is there once a run is terminal.
type Summary struct {
	Errors   []Message `json:"errors"`
	Warnings []Message `json:"warnings"`
	Meta     Meta      `json:"meta"`
}

// Message is one text of a summary.
type Message struct {
	Message string `json:"message"`
}

// Meta are the final numbers of a run.
type Meta struct {
	SuccessfulRows  int64   `json:"successful_rows"`
	FailedRows      int64   `json:"failed_rows"`
	TotalRows       int64   `json:"total_rows"`
	CreatedRows     int64   `json:"created_rows"`
	UpdatedRows     int64   `json:"updated_rows"`
	UnchangedRows   int64   `json:"unchanged_rows"`
	SkippedRows     int64   `json:"skipped_rows"`
	DurationSeconds float64 `json:"duration_seconds"`
}

// Row is a logged row: its data as read under primary column names, and why it failed.
type Row struct {
	RowNumber int64             `json:"row_number"`
	Line      int64             `json:"line"`
	Status    string            `json:"status"`
	Data      map[string]string `json:"data"`
	Errors    *RowErrors        `json:"errors"`
}

// RowErrors says why a row failed.
type RowErrors struct {
	Message    string              `json:"message"`
	Validation map[string][]string `json:"validation"`
}

// List is one page of runs, newest first.
type List struct {
	Data  []Resource `json:"data"`
	Links Links      `json:"links"`
	Meta  PageMeta   `json:"meta"`
}

// Links are path-absolute links to pages.
type Links struct {
	First string  `json:"first"`
	Last  string  `json:"last"`
	Prev  *string `json:"prev"`
	Next  *string `json:"next"`
}

// PageMeta says where in the list a page is. From and To count from 1 and are null for an empty page.
type PageMeta struct {
	CurrentPage int    `json:"current_page"`
	From        *int64 `json:"from"`
	LastPage    int    `json:"last_page"`
	Path        string `json:"path"`
	PerPage     int    `json:"per_page"`
	To          *int64 `json:"to"`
	Total       int64  `json:"total"`
}

// ErrorSummary are both histograms of a run, by count descending, ties by message.
type ErrorSummary struct {
	TotalFailedRows   int64              `json:"total_failed_rows"`
	ErrorSummary      []run.MessageCount `json:"error_summary"`
	ValidationSummary []run.MessageCount `json:"validation_summary"`
}

// ImporterInfo is one line of `ingest list`. A broken definition has only File, Importer (when readable) and Error.
type ImporterInfo struct {
	Importer    string   `json:"importer"`
	File        string   `json:"file"`
	Source      string   `json:"source,omitempty"`
	Format      string   `json:"format,omitempty"`
	Connection  string   `json:"connection,omitempty"`
	Table       string   `json:"table,omitempty"`
	Key         []string `json:"key,omitempty"`
	OnDuplicate string   `json:"on_duplicate,omitempty"`
	Error       string   `json:"error,omitempty"`
}

// CheckResult is what `ingest check` found about one importer; no Problems means that it is valid. Warnings are of the real
// tables: what works, but maybe otherwise than it was meant.
type CheckResult struct {
	Importer string   `json:"importer"`
	File     string   `json:"file"`
	Problems []string `json:"problems"`
	Warnings []string `json:"warnings"`
}

// ProcessInfo is a live worker or coordinator.
type ProcessInfo struct {
	ID      string   `json:"id"`
	Role    string   `json:"role"`
	Host    string   `json:"host"`
	PID     int      `json:"pid"`
	Version string   `json:"version"`
	Slots   []string `json:"slots"`
	SeenAt  Time     `json:"seen_at"`
}

// Verification is the proof of a run: its numbers recomputed from the outcomes in the ledger, beside what the heads,
// the registry and Redis say. Problems is empty when all agree.
type Verification struct {
	ID       int64              `json:"id"`
	Status   run.Status         `json:"status"`
	Chunks   int64              `json:"chunks"`
	Total    int64              `json:"total"`
	Sources  []VerifiedSource   `json:"sources"`
	Errors   []run.MessageCount `json:"errors"`
	Problems []string           `json:"problems"`
}

// VerifiedSource are the numbers one place tells: "outcomes", "heads", "registry" or "redis".
type VerifiedSource struct {
	Source string     `json:"source"`
	Counts run.Counts `json:"counts"`
}

// Time is a time as surfaces print it: UTC with microseconds, "2026-01-27T10:00:00.000000Z".
type Time struct{ time.Time }

const timeLayout = "2006-01-02T15:04:05.000000Z"

// MarshalText implements encoding.TextMarshaler.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// MarshalJSON implements json.Marshaler; it hides time.Time's own.
func (t Time) MarshalJSON() ([]byte, error) { return []byte(`"` + t.String() + `"`), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (t *Time) UnmarshalJSON(text []byte) error {
	parsed, err := time.Parse(`"`+timeLayout+`"`, string(text))
	t.Time = parsed
	return err
}

// String is the time in the contract's form.
func (t Time) String() string { return t.UTC().Format(timeLayout) }

// Answer is a message about a run, with it.
type Answer struct {
	Message string   `json:"message"`
	Data    Resource `json:"data"`
}
