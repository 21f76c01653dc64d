package integration

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ingest/integration/rig"
)

const often = `importer: often
source: {path: often.csv}
destination: {table: often, create_table: true}
key: [n]
on_duplicate: update
if_unchanged: skip
params: {month: {default: "1"}}
fields:
  - {from: n, to: n, type: integer}
  - {to: month, expr: params.month}
`

// TestAnUnchangedSourceIsImportedOnce: same bytes, definition and parameters, wherever the file lies and however it comes.
func TestAnUnchangedSourceIsImportedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		s := begun(t, to, "")
		s.Worker()
		s.Write("importers/often.yaml", often)
		path := s.Write("often.csv", "n\n1\nx\n")
		last := int64(0)
		// run begins one and returns its rows, having looked that it tells why there are none.
		run := func(since int64, code int, args ...string) int64 {
			t.Helper()
			last++
			s.Must(code, append([]string{"run", "often"}, args...)...)
			return told(t, s.System, last, since)
		}
		imported := func(code int, args ...string) {
			t.Helper()
			if rows := run(0, code, args...); rows != 2 {
				t.Errorf("run %d has %d rows", last, rows)
			}
		}
		skipped := func(since int64, args ...string) {
			t.Helper()
			if rows := run(since, 0, args...); rows != 0 {
				t.Errorf("run %d has %d rows", last, rows)
			}
		}
		imported(3, "--dry-run")
		imported(3)
		skipped(2)
		if err := os.Chtimes(path, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		skipped(2, "--dry-run")
		skipped(2)
		skipped(2, "--file", s.Write(filepath.Join("elsewhere", "copy.csv"), "n\n1\nx\n"))
		upload := s.api.Do("POST", rig.Base+"/upload/often?replace=true", "n\n1\nx\n", "Content-Type", "text/csv").Must(t, http.StatusAccepted).Run(t)
		if last++; upload.ID != last {
			t.Fatalf("the upload is run %d", upload.ID)
		}
		s.api.Await(last, patience)
		if rows := told(t, s.System, last, 2); rows != 0 {
			t.Errorf("the upload has %d rows", rows)
		}
		if files := spooled(t, s.System); len(files) != 0 {
			t.Errorf("the upload left %v", files)
		}

		// A retry always runs, and is not what a source is compared with.
		s.Must(3, "retry", "2")
		last++
		skipped(2)
		if said := s.CLI("retry", fmt.Sprint(last)); said.Code != 1 {
			t.Errorf("there is something to retry of a run without rows: %+v", said)
		}

		imported(3, "--param", "month=2")
		imported(3) // the last one had another parameter
		since := last
		skipped(since)
		s.Write("importers/often.yaml", often+"max_failed_rows: 5\n")
		imported(3)
		s.Write("often.csv", "n\n1\n2\n")
		imported(0)
		s.Write("often.csv", "n\n1\nx\n")
		imported(3)
		s.Write("often.csv", "")
		if rows := run(0, 0); rows != 0 {
			t.Errorf("an empty file has %d rows", rows)
		}
		skipped(last)
	})
}

// told fails the test unless the run says that its source is unchanged since that one – 0: nothing of the kind –, and
// returns how many rows it has.
func told(t *testing.T, sys *rig.System, id, since int64) int64 {
	t.Helper()
	r := details(t, sys, id).Data
	want := fmt.Sprintf("The source is unchanged since run #%d: nothing was imported (if_unchanged: skip).", since)
	said := false
	for _, warning := range r.Summary.Warnings {
		said = said || warning.Message == want
	}
	if said != (since != 0) || since != 0 && (r.Status != "completed" || len(r.Summary.Warnings) != 1) {
		t.Errorf("run %d is %s and warns %v", id, r.Status, r.Summary.Warnings)
	}
	return r.Progress.Total
}
