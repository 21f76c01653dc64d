package api

import (
	"net/http"

	"ingest/shared/control"
	"ingest/shared/importer"
)

const (
	inJSON = "application/json"
	inCSV  = "text/csv"
	inSSE  = "text/event-stream"
)

// example is the run of the contract.
func example() map[string]any {
	return map[string]any{
		"id": 123, "importer": "users", "status": "processing", "user_id": "ops", "original_filename": "users.csv",
		"progress": map[string]any{"total": 1000, "processed": 500, "successful": 498, "failed": 2},
		"summary":  nil, "started_at": "2026-01-27T10:00:00.000000Z", "completed_at": nil,
		"dry_run": false, "created": 400, "updated": 98, "unchanged": 0, "skipped": 0, "not_processed": 0,
		"rows_per_second": 25000, "bytes_read": 1048576, "bytes_total": 2097152, "total_final": true,
		"parent_id": nil, "retried_from_run_id": nil, "retried_by": nil, "waiting_for": nil, "reason": nil,
	}
}

func aRun() content {
	return content{inJSON, data[control.Resource]{}, map[string]any{"data": example()}}
}

func begun() answers {
	return answers{http.StatusAccepted, "The run, pending; Location names it.", aRun()}
}

func once() parameter {
	return parameter{
		"Idempotency-Key", "header", "Makes a repeated request return the first run; the same key for another request is 422.", "string", "7f9c2ba4",
	}
}

func docList() operation {
	return operation{
		id: "listRuns", summary: "List runs, newest first",
		params: []parameter{
			{"page", "query", "From 1.", "integer", 1},
			{"per_page", "query", "Up to 100, 15 when left out.", "integer", 15},
			{"status", "query", "Only runs with this status.", "string", "completed"},
			{"importer", "query", "Only runs of this importer.", "string", "users"},
		},
		gives: answers{http.StatusOK, "A page of runs.", content{inJSON, control.List{}, nil}},
	}
}

func docShow() operation {
	return operation{
		id: "showRun", summary: "Show a run",
		about: "With its first rows by number: the failed ones, or all where all are logged.",
		params: []parameter{{
			"rows", "query", "How many rows, 0 leaves them out; never more than max_show_rows.", "integer", 0,
		}},
		gives: answers{http.StatusOK, "The run.", aRun()}, fails: []int{404},
	}
}

func docRows() operation {
	return operation{
		id: "listRows", summary: "Page through the rows a run kept",
		params: []parameter{
			{"status", "query", "failed for failed rows only.", "string", "failed"},
			{"cursor", "query", "next_cursor of the page before.", "string", "7"},
			{"per_page", "query", "Up to 1000, 100 when left out.", "integer", 100},
		},
		gives: answers{http.StatusOK, "A page of rows, by number.", content{inJSON, control.RowPage{}, nil}}, fails: []int{404},
	}
}

func docErrors() operation {
	return operation{
		id: "errorSummary", summary: "Sum up why rows failed",
		gives: answers{http.StatusOK, "Both histograms, by count.", content{inJSON, data[control.ErrorSummary]{}, nil}}, fails: []int{404},
	}
}

func docDownload() operation {
	return operation{
		id: "downloadFailedRows", summary: "Download the failed rows as CSV",
		about:  "Columns as in the source, then _error_message and _row_number. Cells that a spreadsheet would run as a formula are guarded with '.",
		params: []parameter{{"raw", "query", "Guard nothing.", "boolean", false}},
		gives:  answers{http.StatusOK, "The rows.", content{inCSV, nil, "email,_error_message,_row_number\r\n,The email field is required.,7\r\n"}},
		fails:  []int{404},
	}
}

func docRunEvents() operation {
	return operation{
		id: "runEvents", summary: "Follow a run",
		about:  "Server-Sent Events: the run whenever it changes; ends with the terminal status. Who comes back with the Last-Event-ID of a run that is over gets 204.",
		params: []parameter{{"Last-Event-ID", "header", "Id of the last event that was seen.", "string", nil}},
		gives:  answers{http.StatusOK, "Events named run, whose data is the run.", content{inSSE, nil, nil}}, fails: []int{404},
	}
}

func docAllEvents() operation {
	return operation{
		id: "events", summary: "Follow all runs",
		about:  "Server-Sent Events: every run that is not over whenever it changes, and every run that ends.",
		params: []parameter{{"Last-Event-ID", "header", "Id of the last event that was seen: runs that ended since are told first.", "string", nil}},
		gives:  answers{http.StatusOK, "Events named run, whose data is the run.", content{inSSE, nil, nil}},
	}
}

func docVerify() operation {
	return operation{
		id: "verifyRun", summary: "Prove a run's numbers from the ledger",
		gives: answers{http.StatusOK, "The proof; no problems means that all agree.", content{inJSON, data[control.Verification]{}, nil}}, fails: []int{404},
	}
}

func docUpload() operation {
	return operation{
		id: "upload", summary: "Upload a file and start a run",
		about: "The file as the field `file` of a form, or as the body itself with any content type but JSON and multipart. The answer comes when the file is safely stored, before it is parsed.",
		params: []parameter{
			{"filename", "query", "What to call the file, for a raw body.", "string", "users.csv"},
			{"dry_run", "query", "Do everything but keep nothing: true, false, 1 or 0.", "boolean", false},
			{"param", "query", "A parameter of the importer as name=value; may be repeated.", "string", "month=2026-01"},
			{"replace", "query", "Take the file instead of the importer's own source, for importers whose source is no upload.", "boolean", false},
			once(),
		},
		takes: []content{
			{"multipart/form-data", uploadForm{}, nil},
			{inCSV, nil, "email\r\na@example.org\r\n"},
		},
		gives: begun(), fails: []int{404, 409, 429},
	}
}

// uploadForm is an upload as a form.
type uploadForm struct {
	File   string `json:"file"`
	DryRun string `json:"dry_run,omitempty"`
	// Param is name=value; it may be repeated.
	Param []string `json:"param,omitempty"`
}

func docTrigger() operation {
	return operation{
		id: "trigger", summary: "Start a run of an importer that reads its own source",
		params: []parameter{once()}, takes: []content{{inJSON, triggerBody{}, map[string]any{"dry_run": true, "params": map[string]any{"month": "2026-01"}}}},
		gives: begun(), fails: []int{404, 409},
	}
}

func docCancel() operation {
	return operation{
		id: "cancelRun", summary: "Stop a run",
		about: "Rows that were written stay. The status becomes cancelled when no further row can be written.",
		gives: answers{http.StatusOK, "The request was sent.", content{
			inJSON, control.Answer{}, map[string]any{"message": "Cancellation request sent.", "data": example()},
		}},
		fails: []int{404, 409},
	}
}

func docRetry() operation {
	return operation{
		id: "retryRun", summary: "Import the failed rows of a run again",
		about:  "A new run with only the rows that failed, by the importer as it is now. Two at once: one wins, the other is refused naming it. As a form with a `file`, the downloaded failed rows mended: with the rows of the file, under the numbers in its column _row_number.",
		params: []parameter{once()},
		takes: []content{
			{inJSON, retryBody{}, map[string]any{"dry_run": true, "error": "The email field is required."}},
			{"multipart/form-data", retryForm{}, nil},
		},
		gives: begun(), fails: []int{404, 409, 429},
	}
}

// retryForm is a retry with mended rows.
type retryForm struct {
	File   string `json:"file"`
	DryRun string `json:"dry_run,omitempty"`
	Force  string `json:"force,omitempty"`
}

func docRebuild() operation {
	return operation{
		id: "rebuildRun", summary: "Have a run's Redis state restored from the ledger",
		gives: answers{http.StatusOK, "It is forgotten and will be restored.", content{inJSON, Message{}, nil}}, fails: []int{404, 409},
	}
}

func docImporters() operation {
	return operation{
		id: "listImporters", summary: "List the importers",
		gives: answers{http.StatusOK, "All definitions; a broken one with its first error.", content{inJSON, data[[]control.ImporterInfo]{}, nil}},
	}
}

func docImporter() operation {
	return operation{
		id: "showImporter", summary: "Show a definition",
		gives: answers{http.StatusOK, "The definition, defaults filled in.", content{inJSON, data[importer.Definition]{}, nil}}, fails: []int{404},
	}
}

func docCheck() operation {
	return operation{
		id: "checkImporters", summary: "Validate definitions",
		params: []parameter{
			{"importer", "query", "Only this importer; may be given more than once.", "string", "users"},
			{"connect", "query", "Also look at the real tables.", "boolean", false},
		},
		gives: answers{http.StatusOK, "What is wrong with each; no problems means that it is valid.", content{inJSON, data[[]control.CheckResult]{}, nil}},
		fails: []int{404},
	}
}

func docWorkers() operation {
	return operation{
		id: "listWorkers", summary: "List live workers and coordinators",
		gives: answers{http.StatusOK, "The processes heard of in the last 15 seconds.", content{inJSON, data[[]control.ProcessInfo]{}, nil}},
	}
}

func docOpenAPI() operation {
	return operation{
		id: "openapi", summary: "This description", gives: answers{http.StatusOK, "OpenAPI 3.1.", content{inJSON, nil, nil}},
	}
}

func docDocs() operation {
	return operation{
		id: "docs", summary: "A page that shows this description", gives: answers{http.StatusOK, "HTML.", content{"text/html", nil, nil}},
	}
}

func docAsset() operation {
	return operation{
		id: "docsAsset", summary: "A file of that page",
		gives: answers{http.StatusOK, "A script, a style or an image.", content{"*/*", nil, nil}},
	}
}

func docHealthz() operation {
	return operation{
		id: "healthz", summary: "Whether the process lives", gives: answers{http.StatusOK, "It does.", content{inJSON, Health{}, map[string]any{"status": "ok"}}},
	}
}

func docReadyz() operation {
	return operation{
		id: "readyz", summary: "Whether the process can do its work",
		gives: answers{http.StatusOK, "It can.", content{inJSON, Health{}, map[string]any{"status": "ready"}}}, fails: []int{503},
	}
}
