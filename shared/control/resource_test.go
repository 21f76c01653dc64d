package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/chunk"
	"ingest/shared/ledger"
	"ingest/shared/pipeline"
	"ingest/shared/row"
	"ingest/shared/run"
)

// golden is the example of the contract, section 3.
const golden = `{"data": {"id": 123, "importer": "users", "status": "processing", "user_id": "ops", "original_filename": "users.csv",
  "progress": {"total": 1000, "processed": 500, "successful": 498, "failed": 2},
  "summary": null, "started_at": "2026-01-27T10:00:00.000000Z", "completed_at": null,
  "dry_run": false, "created": 400, "updated": 98, "unchanged": 0, "skipped": 0, "not_processed": 0, "rows_per_second": 25000, "bytes_read": 1048576, "bytes_total": 2097152, "total_final": true,
  "parent_id": null, "retried_from_run_id": null, "retried_by": null, "waiting_for": null, "reason": null,
  "rows": [{"row_number": 7, "line": 8, "status": "failed", "data": {"email": ""}, "errors": {"message": "The email field is required.", "validation": {"email": ["The email field is required."]}}}]}}`

func TestARunAsTheContractShowsIt(t *testing.T) {
	t.Parallel()
	required := "The email field is required."
	r := Resource{
		ID: 123, Importer: "users", Status: run.Processing, UserID: "ops", OriginalFilename: "users.csv",
		// Another zone and nanoseconds: shown in UTC with microseconds.
		StartedAt:     &Time{time.Date(2026, 1, 27, 12, 0, 0, 999, time.FixedZone("CAT", 2*60*60))},
		RowsPerSecond: 25000, BytesRead: 1 << 20, BytesTotal: 2 << 20, TotalFinal: true,
		Rows: []Row{rowOf(chunk.Logged{
			Row: row.Row{Number: 7, Line: 8, Cells: []string{""}}, Status: chunk.StatusFailed, Message: required,
			Fields: []chunk.FieldMessage{{Column: "email", Messages: []string{required}}},
		}, []string{"email"}, pipeline.Meant(nil))},
	}
	r.count(run.Counts{Created: 400, Updated: 98, Failed: 2})
	r.Progress.Total = 1000
	got, err := json.Marshal(map[string]Resource{"data": r})
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, []byte(golden)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("(-contract +got):\n%s", diff)
	}
	var back struct{ Data Resource }
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(map[string]Resource{"data": back.Data}); err != nil || !bytes.Equal(again, got) {
		t.Errorf("read and written again: %s, %v", again, err)
	}
}

func TestATerminalRun(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 1, 27, 10, 0, 0, 0, time.UTC)
	r := run.Run{
		ID: 5, Status: run.Failed, Reason: "The file looks like XLSX, not CSV.", Parent: 4, RetriedBy: 6,
		StartedAt: begin, CompletedAt: begin.Add(2500 * time.Millisecond), Warnings: []string{"of the retry"},
		Manifest: &run.Manifest{Warnings: []string{"of the source"}, Fingerprint: run.Fingerprint{Size: 77}},
		Final:    &run.Final{Total: 100, NotProcessed: 50, Counts: run.Counts{Created: 10, Updated: 9, Unchanged: 8, Skipped: 7, Failed: 16}},
	}
	got := new(Control).resource(t.Context(), r)
	want := &Summary{
		Errors: []Message{{r.Reason}}, Warnings: []Message{{"of the retry"}, {"of the source"}},
		Meta: Meta{
			SuccessfulRows: 34, FailedRows: 16, TotalRows: 100, CreatedRows: 10, UpdatedRows: 9, UnchangedRows: 8, SkippedRows: 7,
			DurationSeconds: 2.5,
		},
	}
	if diff := cmp.Diff(want, got.Summary); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Progress{Total: 100, Processed: 50, Successful: 34, Failed: 16}, got.Progress); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
	if got.NotProcessed != 50 || !got.TotalFinal || got.RowsPerSecond != 20 || got.BytesTotal != 77 {
		t.Errorf("%+v", got)
	}
	if *got.ParentID != 4 || *got.RetriedFromRunID != 4 || *got.RetriedBy != 6 || *got.Reason != r.Reason {
		t.Errorf("%+v", got)
	}
}

// TestARunThatFailedBeforeItStarted has no null among its numbers, lists and no duration.
func TestARunThatFailedBeforeItStarted(t *testing.T) {
	t.Parallel()
	got := new(Control).resource(t.Context(), run.Run{ID: 1, Status: run.Cancelled, CompletedAt: time.Now(), Final: &run.Final{}})
	text, err := json.Marshal(got.Summary)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"errors":[],"warnings":[],"meta":{"successful_rows":0,"failed_rows":0,"total_rows":0,"created_rows":0,` +
		`"updated_rows":0,"unchanged_rows":0,"skipped_rows":0,"duration_seconds":0}}`
	if string(text) != want || got.StartedAt != nil || got.RowsPerSecond != 0 {
		t.Errorf("%s, started %v, %d rows/s", text, got.StartedAt, got.RowsPerSecond)
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	histogram := func(messages int) []run.MessageCount {
		counts := map[string]int64{}
		for i := range messages {
			counts[fmt.Sprint(i)] = 1
		}
		return run.Histogram(counts)
	}
	const capped = "More than 1000 different messages: the rest is counted as (other)."
	for name, c := range map[string]struct {
		run  run.Run
		want []string
	}{
		"none":                   {},
		"before the manifest":    {run: run.Run{Warnings: []string{"a"}}, want: []string{"a"}},
		"of both":                {run: run.Run{Warnings: []string{"a"}, Manifest: &run.Manifest{Warnings: []string{"b", "c"}}}, want: []string{"a", "b", "c"}},
		"1,000 messages":         {run: run.Run{Final: &run.Final{Errors: histogram(1000)}}},
		"1,001 messages":         {run: run.Run{Warnings: []string{"a"}, Final: &run.Final{Errors: histogram(1001)}}, want: []string{"a", capped}},
		"both histograms capped": {run: run.Run{Final: &run.Final{Errors: histogram(1500), Validation: histogram(2000)}}, want: []string{capped}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 {
				// Asked twice, each is there once.
				if diff := cmp.Diff(c.want, warnings(c.run)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestRowsAsTheyAreShown(t *testing.T) {
	t.Parallel()
	names := []string{"sku", "", "name"}
	for name, c := range map[string]struct {
		logged chunk.Logged
		want   Row
	}{
		"successful": {
			chunk.Logged{Row: row.Row{Number: 1, Line: 2, Cells: []string{"a", "x", "b"}}, Status: chunk.StatusSuccessful},
			Row{RowNumber: 1, Line: 2, Status: "successful", Data: map[string]string{"sku": "a", "name": "b"}},
		},
		"short, not UTF-8": {
			chunk.Logged{Row: row.Row{Number: 3, Line: 9, Cells: []string{"a\xff"}}, Status: chunk.StatusFailed, Message: "m"},
			Row{
				RowNumber: 3, Line: 9, Status: "failed", Data: map[string]string{"sku": "a�"},
				Errors: &RowErrors{Message: "m", Validation: map[string][]string{}},
			},
		},
		"surplus cells, nothing kept": {
			chunk.Logged{Row: row.Row{Number: 4, Line: 10, Cells: []string{"a", "b", "c", "d"}}, Status: chunk.StatusFailed, Message: "m"},
			Row{
				RowNumber: 4, Line: 10, Status: "failed", Data: map[string]string{"sku": "a", "name": "c"},
				Errors: &RowErrors{Message: "m", Validation: map[string][]string{}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, rowOf(c.logged, names, pipeline.Meant(nil))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestKindsOfRefusals(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	err := fmt.Errorf("start: %w", refuse(Conflict, cause, "Run #%d is not finished yet.", 3))
	if KindOf(err) != Conflict || !errors.Is(err, cause) || err.Error() != "start: Run #3 is not finished yet." {
		t.Errorf("%v is of kind %d", err, KindOf(err))
	}
	if KindOf(cause) != 0 || KindOf(nil) != 0 {
		t.Error("an error that is no refusal has a kind")
	}
	if got := unknownRun(999).Error(); got != "No ingest run found with ID 999." {
		t.Error(got)
	}
	if got := finishedText(1); got != "Ingest run #1 has already finished." {
		t.Error(got)
	}
}

func TestTheTotalOfARunThatRedisDoesNotKnow(t *testing.T) {
	t.Parallel()
	half := run.Counts{Created: 40, Failed: 10}
	for name, test := range map[string]struct {
		heads           []ledger.Head
		expected, total int64
	}{
		"nothing is known":        {nil, 0, 0},
		"a source that is read":   {[]ledger.Head{{SealedRows: -1, Counts: half}, {SealedRows: -1}}, 0, 50},
		"a retry that is read":    {[]ledger.Head{{SealedRows: -1, Counts: half}, {SealedRows: -1}}, 160, 160},
		"a source that was read":  {[]ledger.Head{{SealedRows: 70, Counts: half}, {SealedRows: 50}}, 0, 120},
		"a retry that was read":   {[]ledger.Head{{SealedRows: 70, Counts: half}, {SealedRows: 50}}, 160, 120},
		"more rows than expected": {[]ledger.Head{{SealedRows: -1, Counts: half}, {SealedRows: -1, Counts: half}}, 60, 100},
	} {
		if _, total := sum(test.heads, test.expected); total != test.total {
			t.Errorf("%s: %d rows, want %d", name, total, test.total)
		}
	}
}
