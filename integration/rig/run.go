package rig

import "strings"

// Run is the part of the run resource that tests look at.
type Run struct {
	ID       int64  `json:"id"`
	Importer string `json:"importer"`
	Status   string `json:"status"`
	UserID   string `json:"user_id"`
	Filename string `json:"original_filename"`
	Progress struct {
		Total      int64 `json:"total"`
		Processed  int64 `json:"processed"`
		Successful int64 `json:"successful"`
		Failed     int64 `json:"failed"`
	} `json:"progress"`
	DryRun       bool    `json:"dry_run"`
	Created      int64   `json:"created"`
	Updated      int64   `json:"updated"`
	Unchanged    int64   `json:"unchanged"`
	Skipped      int64   `json:"skipped"`
	NotProcessed int64   `json:"not_processed"`
	TotalFinal   bool    `json:"total_final"`
	BytesRead    int64   `json:"bytes_read"`
	BytesTotal   int64   `json:"bytes_total"`
	StartedAt    *string `json:"started_at"`
	ParentID     *int64  `json:"parent_id"`
	RetriedBy    *int64  `json:"retried_by"`
	WaitingFor   *string `json:"waiting_for"`
	Reason       *string `json:"reason"`
}

// Terminal says whether the run has ended.
func (r Run) Terminal() bool {
	return strings.HasPrefix(r.Status, "completed") || r.Status == "failed" || r.Status == "cancelled"
}

// Stopped says whether the run ended before its source did: only then rows may be not processed.
func (r Run) Stopped() bool { return r.Status == "failed" || r.Status == "cancelled" }

// ErrorSummary is what `ingest errors --output json` shows.
type ErrorSummary struct {
	TotalFailedRows   int64          `json:"total_failed_rows"`
	ErrorSummary      []MessageCount `json:"error_summary"`
	ValidationSummary []MessageCount `json:"validation_summary"`
}

// MessageCount is one line of a histogram.
type MessageCount struct {
	Message string `json:"message"`
	Count   int64  `json:"count"`
}
