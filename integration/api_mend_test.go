package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// mended sends a retry as a form.
func (s served) mended(t *testing.T, id int64, headers []string, fields ...field) rig.Answer {
	t.Helper()
	body, kind := form(t, fields...)
	return s.api.Do("POST", at(id, "/retry"), body, append([]string{"Content-Type", kind}, headers...)...)
}

// TestAPIRetryWithAFile: download, mend, send back as a form; the options are its fields, and a repeated request is the
// first one's run.
func TestAPIRetryWithAFile(t *testing.T) {
	t.Parallel()
	s := serve(t)
	first := s.api.Await(s.upload(t, halfBad, "filename=users.csv").ID, patience)
	downloaded := s.api.Get(at(first.ID, "/failed-rows/download")).Must(t, http.StatusOK).Body
	if downloaded != "name,email,_error_message,_row_number\nbob,,The email field is required.,2\neva,nobody,The email field must be a valid email address.,4\n" {
		t.Fatalf("the failed rows are %q", downloaded)
	}
	kept := len(spooled(t, s.System))
	fixed := field{"file", `C:\fixed.csv`, "_row_number,email\n4,eva@example.org\n2,bob@\n"}

	dry := s.api.Await(s.mended(t, first.ID, nil, fixed, field{"dry_run", "", "true"}).Must(t, http.StatusAccepted).Run(t).ID, patience)
	if !dry.DryRun || dry.Created != 1 || dry.Progress.Failed != 1 || dry.Filename != "fixed.csv" {
		t.Errorf("the dry run is %+v", dry)
	}
	key := []string{"Idempotency-Key", "once"}
	begun := s.mended(t, first.ID, key, field{"force", "", "0"}, fixed).Must(t, http.StatusAccepted)
	r := s.api.Await(begun.Run(t).ID, patience)
	if r.Created != 1 || r.Progress.Failed != 1 || r.Progress.Total != 2 || begun.Header.Get("Location") != at(r.ID, "") {
		t.Errorf("the retry is %+v at %s", r, begun.Header.Get("Location"))
	}
	if got := s.mended(t, first.ID, key, fixed).Must(t, http.StatusAccepted).Run(t); got.ID != r.ID {
		t.Errorf("the repeated retry is run %d, want %d", got.ID, r.ID)
	}
	another := fixed
	another.value = strings.Replace(fixed.value, "bob@", "bob", 1)
	refused(t, s.mended(t, first.ID, key, another), 422, "The Idempotency-Key was used for another request")
	refused(t, s.mended(t, first.ID, key, fixed, field{"force", "", "1"}), 422, "The Idempotency-Key was used for another request")
	if p := refused(t, s.mended(t, first.ID, nil, fixed), http.StatusConflict, fmt.Sprintf("Run #%d was already retried as run #%d.", first.ID, r.ID)); p.RunID != r.ID {
		t.Errorf("it names run %d", p.RunID)
	}
	forced := s.mended(t, first.ID, nil, field{"force", "", "true"}, fixed).Must(t, http.StatusAccepted).Run(t)
	s.api.Await(forced.ID, patience)
	// The dry run, the retry and the forced one each keep their file, as they have failed rows.
	if got := len(spooled(t, s.System)) - kept; got != 3 {
		t.Errorf("the retries left %d files in the spool", got)
	}
	last := s.mended(t, forced.ID, nil, field{"file", "", "_row_number,email\n2,bob@example.org\n"}).Must(t, http.StatusAccepted).Run(t)
	if got := s.api.Await(last.ID, patience); got.Status != "completed" || got.Filename != "upload" {
		t.Errorf("the last retry is %+v", got)
	}
	if got := len(spooled(t, s.System)) - kept; got != 3 {
		t.Errorf("%d files are in the spool, a completed retry needs none", got)
	}
	if diff := cmp.Diff([]string{
		"name=\\N\temail=bob@example.org", "name=\\N\temail=eva@example.org",
		"name=ann\temail=a@example.org", "name=dan\temail=d@example.org",
	}, s.Dump("users")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAPIRetryWithAFileIsRefused before there is a run, by field, and the spool keeps nothing.
func TestAPIRetryWithAFileIsRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, "INGEST_MAX_UPLOAD=1KiB")
	id := s.api.Await(s.upload(t, halfBad).ID, patience).ID
	kept := len(spooled(t, s.System))
	good := field{"file", "fixed.csv", "_row_number,email\n2,b@example.org\n"}
	for name, c := range map[string]struct {
		run    int64
		fields []field
		status int
		field  string
		want   string
	}{
		"unknown run":        {99, []field{good}, 404, "", "No ingest run found with ID 99."},
		"no file":            {id, []field{{"dry_run", "", "1"}}, 422, "file", "The file field is required."},
		"an empty file":      {id, []field{{"file", "fixed.csv", ""}}, 422, "file", "fixed.csv is empty."},
		"an unknown row":     {id, []field{{"file", "fixed.csv", "_row_number,email\n1,b@example.org\n"}}, 422, "file", "fixed.csv: not among the failed rows of run #1, by their _row_number: 1."},
		"no numbers":         {id, []field{{"file", "fixed.csv", halfBad}}, 422, "file", "fixed.csv has no column _row_number"},
		"another format":     {id, []field{{"file", "fixed.xlsx", "x"}}, 422, "file", ""},
		"a message":          {id, []field{good, {"error", "", "x"}}, 422, "error", "The rows of a retry with a file are those of the file: leave the error out."},
		"no flag":            {id, []field{good, {"force", "", "yes"}}, 422, "force", "The force field must be true or false."},
		"an unknown field":   {id, []field{good, {"param", "", "a=b"}}, 422, "param", "There is no field 'param'; known: file, dry_run, error, force, unprocessed."},
		"two files":          {id, []field{good, good}, 422, "file", "The file field must be given once."},
		"larger than it may": {id, []field{{"file", "fixed.csv", strings.Repeat("x", 2000)}}, 413, "", "The file is larger than the limit of 1KiB (max_upload)."},
	} {
		p := refused(t, s.mended(t, c.run, nil, c.fields...), c.status, c.want)
		if c.field != "" && len(p.Errors[c.field]) == 0 {
			t.Errorf("%s: errors of %v", name, p.Errors)
		}
		if got := len(spooled(t, s.System)); got != kept {
			t.Errorf("%s: %d files are left in the spool", name, got-kept)
		}
	}
	// A body that is no form has the options, as ever.
	refused(t, s.api.Do("POST", at(id, "/retry"), good.value, "Content-Type", "text/csv"), 415, "The body must be JSON")
	if got := s.runs(t); got != 1 {
		t.Errorf("there are %d runs", got)
	}
	s.mended(t, id, nil, good).Must(t, http.StatusAccepted)
}

// TestServerRetryWithAFile: a file goes to the server, standard input too, and the outcome is told as here.
func TestServerRetryWithAFile(t *testing.T) {
	t.Parallel()
	in := guarded(t, reference.Products{Seed: 3, Rows: 300, Bad: 0.2})
	in.Must(3, "run", "products")
	mending{row: repaired, shuffled: true}.mend(t, in.System, 1)
	if result := in.there("retry", "1", "--with", "gone.csv"); result.Code != 1 || !strings.Contains(result.Stderr, "gone.csv") {
		t.Errorf("no file: %d %s", result.Code, result.Stderr)
	}
	in.Write("other.csv", "SKU,_row_number\nx,9999\n")
	if result := in.there("retry", "1", "--with", "other.csv"); result.Code != 1 || !strings.Contains(result.Stderr, "other.csv: not among the failed rows of run #1, by their _row_number: 9999.") {
		t.Errorf("an unknown row: %d %s", result.Code, result.Stderr)
	}
	if result := in.there("retry", "1", "--with", "fixed.csv", "--dry-run"); result.Code != 3 {
		t.Errorf("dry run: %d %s", result.Code, result.Stderr)
	}
	if result := in.there("retry", "1", "--with", "fixed.csv"); result.Code != 3 {
		t.Fatalf("retry: %d %s", result.Code, result.Stderr)
	}
	if r := in.Status(3); r.Filename != "fixed.csv" || r.DryRun || r.Created == 0 || counts(r) != counts(in.Status(2)) {
		t.Errorf("the retry is %+v, the dry run was %+v", r, in.Status(2))
	}
	file, _ := mending{}.mend(t, in.System, 3)
	if result := in.CLIWith(file, "retry", "3", "--with", "-", "--server", in.server, "--token", in.token); result.Code != 3 {
		t.Errorf("standard input: %d %s", result.Code, result.Stderr)
	}
	if r := in.Status(4); r.Filename != "stdin" || r.Progress.Failed != in.Status(3).Progress.Failed {
		t.Errorf("the last retry is %+v", r)
	}
}
