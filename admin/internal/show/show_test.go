package show

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"ingest/shared/control"
	"ingest/shared/run"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func at(text string) *control.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return &control.Time{Time: t}
}

func ref[T any](v T) *T { return &v }

func processing() control.Resource {
	return control.Resource{
		ID: 123, Importer: "navaids", Status: run.Processing, UserID: "ops", OriginalFilename: "navaids.csv",
		Progress:  control.Progress{Total: 1_000_000, Processed: 540_000, Successful: 539_998, Failed: 2},
		StartedAt: at("2026-01-27T10:00:00Z"), Created: 400_000, Updated: 139_998, RowsPerSecond: 25_000,
		BytesRead: 1 << 20, BytesTotal: 2 << 20,
	}
}

func finished() control.Resource {
	return control.Resource{
		ID: 7, Importer: "navaids", Status: run.CompletedWithErrors, UserID: "ops", OriginalFilename: "navaids.csv",
		Progress: control.Progress{Total: 11010, Processed: 11010, Successful: 7167, Failed: 3843},
		Summary: &control.Summary{
			Errors:   []control.Message{},
			Warnings: []control.Message{{Message: "The columns 'a', 'b' are ignored."}},
			Meta: control.Meta{
				SuccessfulRows: 7167, FailedRows: 3843, TotalRows: 11010, CreatedRows: 7167, DurationSeconds: 1.25,
			},
		},
		StartedAt: at("2026-01-27T10:00:00Z"), CompletedAt: at("2026-01-27T10:00:01Z"), Created: 7167,
		RowsPerSecond: 8808, TotalFinal: true, ParentID: ref[int64](5), RetriedFromRunID: ref[int64](5),
		RetriedBy: ref[int64](9),
	}
}

func failedRun() control.Resource {
	return control.Resource{
		ID: 8, Importer: "regions", Status: run.Failed, OriginalFilename: "regions.csv", DryRun: true,
		Progress:  control.Progress{Total: 5000, Processed: 4000, Successful: 4000},
		StartedAt: at("2026-01-27T10:00:00Z"), CompletedAt: at("2026-01-27T11:02:03Z"), Created: 4000,
		NotProcessed: 1000, TotalFinal: true, Reason: ref("line 812: a quoted field that is never closed"),
		Summary: &control.Summary{
			Errors: []control.Message{{Message: "line 812: a quoted field that is never closed"}},
			Meta:   control.Meta{DurationSeconds: 3723},
		},
	}
}

func histogram() control.ErrorSummary {
	return control.ErrorSummary{
		TotalFailedRows: 3843,
		ErrorSummary: []run.MessageCount{
			{Message: "The elevation_ft field is required.", Count: 3000},
			{Message: "The elevation_ft field must be an integer. (and 1 more error) " + strings.Repeat("long ", 20), Count: 800},
			{Message: "The name field is not valid UTF-8.", Count: 20},
			{Message: "Duplicate entry found for key 'store_id, sku'.", Count: 20},
			{Message: "evil \x1b[31m text\u202e", Count: 2},
			{Message: "The row has 3 columns, the header has 6.", Count: 1},
		},
		ValidationSummary: []run.MessageCount{{Message: "elevation_ft: The elevation ft field is required.", Count: 3000}},
	}
}

func now() time.Time { return at("2026-01-27T10:00:21.6Z").Time }

func TestPagesFitATerminal(t *testing.T) {
	t.Parallel()
	waiting := processing()
	waiting.Status, waiting.Progress, waiting.RowsPerSecond = run.Pending, control.Progress{}, 0
	waiting.WaitingFor, waiting.StartedAt = ref("no worker is running (start `ingest worker`)"), nil
	stalled := processing()
	stalled.WaitingFor = ref("no worker is running (start `ingest worker`)")
	wordy := failedRun()
	wordy.Importer, wordy.OriginalFilename = strings.Repeat("slug-", 20), strings.Repeat("a file ", 20)+".csv"
	wordy.Reason = ref(strings.Repeat("a long reason with one_word_of_", 2) + strings.Repeat("100_", 25) + "letters")
	wordy.Summary.Warnings = []control.Message{{Message: "The columns " + strings.Repeat("'column', ", 20) + "are ignored."}}
	cases := map[string]func(*Page){
		"status_wordy":      func(p *Page) { p.Status(Status{Run: wordy, Now: now()}) },
		"status_stalled":    func(p *Page) { p.Status(Status{Run: stalled, Now: now()}) },
		"status_processing": func(p *Page) { p.Status(Status{Run: processing(), Now: now()}) },
		"status_interrupted": func(p *Page) {
			p.Status(Status{Run: processing(), Interrupted: true, Now: now()})
		},
		"status_waiting": func(p *Page) { p.Status(Status{Run: waiting, Now: now()}) },
		"status_finished": func(p *Page) {
			p.Status(Status{Run: finished(), Errors: ref(histogram()), Interrupted: true, Now: now()})
		},
		"status_failed": func(p *Page) { p.Status(Status{Run: failedRun(), Now: now()}) },
		"runs": func(p *Page) {
			wide := failedRun()
			wide.Importer = strings.Repeat("very-long-importer-", 4)
			wide.Progress.Processed, wide.Progress.Failed = 1_234_567_890, 1_000_000
			again := finished()
			again.DryRun, again.Status = true, run.Completed
			list := control.List{
				Data: []control.Resource{processing(), wide, finished(), again}, Meta: control.PageMeta{Total: 20},
			}
			p.Runs(RunList{List: list, Interrupted: true, Now: now()})
		},
		"runs_empty":   func(p *Page) { p.Runs(RunList{Now: now()}) },
		"errors":       func(p *Page) { p.Errors(7, histogram()) },
		"errors_empty": func(p *Page) { p.Errors(7, control.ErrorSummary{}) },
		"importers": func(p *Page) {
			p.Importers([]control.ImporterInfo{
				{
					Importer: "countries", File: "countries.yaml", Source: "filesystem configs/demo/data/countries.csv",
					Format: "csv", Connection: "default", Table: "countries", Key: []string{"code"}, OnDuplicate: "update",
				},
				{
					Importer: "products", File: "products.yaml", Source: "filesystem /var/lib/data/exports/products.csv",
					Format: "csv", Connection: "warehouse", Table: "sales.products", Key: []string{"store_id", "sku"},
					OnDuplicate: "skip",
				},
				{
					Importer: "broken", File: "broken.yaml",
					Error: "broken.yaml:7:3: unknown key \"filds\" (did you mean \"fields\"?)\nmore",
				},
			})
		},
		"checks": func(p *Page) {
			p.Checks([]control.CheckResult{
				{Importer: "countries", File: "configs/importers/countries.yaml"},
				{File: "configs/importers/x.yaml", Problems: []string{
					"configs/importers/x.yaml:7:3: unknown key \"filds\"\n    did you mean \"fields\"?",
					"configs/importers/x.yaml:9:1: the key column 'K' is not mapped by any field",
				}},
			})
		},
		"processes": func(p *Page) {
			p.Processes([]control.ProcessInfo{
				{ID: "a", Role: "coordinator", Host: "build-17.example.com", PID: 4711, Version: "v1.2.3", SeenAt: *at("2026-01-27T10:00:00Z"), Slots: []string{"run 123: split"}},
				{ID: "b", Role: "worker", Host: "build-18.example.com", PID: 4712, Version: "v1.2.3", SeenAt: *at("2026-01-27T10:00:01Z"), Slots: []string{"run 123 partition 3 chunk 17", "idle"}},
			})
		},
		"verification": func(p *Page) {
			counts := run.Counts{Created: 7000, Unchanged: 167, Failed: 3843}
			other := counts
			other.Failed--
			p.Verification(control.Verification{
				ID: 7, Status: run.CompletedWithErrors, Chunks: 12, Total: 11010,
				Sources: []control.VerifiedSource{
					{Source: "outcomes", Counts: counts},
					{Source: "heads", Counts: counts},
					{Source: "registry", Counts: counts},
					{Source: "redis", Counts: other},
				},
				Problems: []string{"redis says failed 3842, outcomes say 3843"},
			})
		},
		"settings": func(p *Page) {
			p.Settings([]Setting{
				{Key: "namespace", Value: "ingest", Origin: "default"},
				{Key: "connections.warehouse.url", Value: "postgres://app:***@db.example.com:5432/warehouse?sslmode=verify-full", Origin: "INGEST_CONNECTIONS_WAREHOUSE_URL"},
			})
		},
		"migrations": func(p *Page) {
			p.Migrations([]Migration{{Connection: "default", Database: "sqlite", Result: "up to date"}})
		},
		"version": func(p *Page) { p.Version(Version{Version: "v1.0.0", Revision: "abc123", Go: "go1.26.8"}) },
	}
	for name, page := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			if err := (Screen{Out: &out}).Document(nil, page); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				if width := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); width > 80 {
					t.Errorf("%d columns: %s", width, line)
				}
				if strings.ContainsRune(line, '\x1b') {
					t.Errorf("an escape without a terminal: %q", line)
				}
			}
			golden(t, name, out.Bytes())
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("differs from %s (-want +got):\n%s", path, diff)
	}
}

func TestLinesAreBrokenBetweenWords(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"":                                  "",
		"fits exact":                        "fits exact",
		"one two three four":                "one two|  three|  four",
		"abcdefghijklmnop":                  "abcdefghij|  klmnop",
		"abcdefghij klm":                    "abcdefghij|  klm",
		"日本語日本語":                            "日本語日本|  語",
		"\x1b[31mred red red red\x1b[0m ok": "\x1b[31mred red|  red red\x1b[0m|  ok",
	} {
		p := &Page{width: 10}
		p.paragraph("", "  ", s)
		if got := strings.ReplaceAll(strings.TrimSuffix(p.text.String(), "\n"), "\n", "|"); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func TestFilesAreNamedAsSeenFromTheWorkingDirectory(t *testing.T) {
	t.Parallel()
	for dir, want := range map[string]string{
		"/home/me": "ok  x  importers/x.yaml\n", "/home/m": "ok  x  /home/me/importers/x.yaml\n",
		"/": "ok  x  /home/me/importers/x.yaml\n", "": "ok  x  /home/me/importers/x.yaml\n",
	} {
		var out bytes.Buffer
		err := Screen{Out: &out, Dir: dir}.Document(nil, func(p *Page) {
			p.Checks([]control.CheckResult{{Importer: "x", File: "/home/me/importers/x.yaml"}})
		})
		if err != nil || out.String() != want {
			t.Errorf("%q: %q, %v, want %q", dir, out.String(), err, want)
		}
	}
}

func TestColoursDoNotCarryTextOfFiles(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	screen := Screen{Out: &out, Color: true}
	if err := screen.Document(nil, func(p *Page) { p.Errors(7, histogram()) }); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "\x1b[31m█") {
		t.Errorf("no colours: %q", out.String())
	}
	if !strings.Contains(out.String(), `evil \x1b[31m text\u202e`) {
		t.Errorf("the message's control characters are not escaped: %q", out.String())
	}
}

func TestJSONAndYAMLSayTheSame(t *testing.T) {
	t.Parallel()
	resource := finished()
	resource.UserID, resource.OriginalFilename = "02", "NA: é \"quoted\" \x01 <&> no"
	var asJSON, asYAML bytes.Buffer
	if err := (Screen{Out: &asJSON, Format: JSON}).Data(resource, nil); err != nil {
		t.Fatal(err)
	}
	if err := (Screen{Out: &asYAML, Format: YAML}).Data(resource, nil); err != nil {
		t.Fatal(err)
	}
	var got struct{ Data control.Resource }
	if err := json.Unmarshal(asJSON.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(resource, got.Data); diff != "" {
		t.Error(diff)
	}
	var document any
	if err := yaml.Unmarshal(asYAML.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	back, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	var fromYAML struct{ Data control.Resource }
	if err := json.Unmarshal(back, &fromYAML); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(resource, fromYAML.Data); diff != "" {
		t.Errorf("%s\n%s", diff, asYAML.String())
	}
	if order := strings.Index(asYAML.String(), "importer:"); order < 0 || order > strings.Index(asYAML.String(), "status:") {
		t.Errorf("the keys are not in the resource's order:\n%s", asYAML.String())
	}
}

func TestQuietPrintsErrorsOnly(t *testing.T) {
	t.Parallel()
	var out, err bytes.Buffer
	screen := Screen{Out: &out, Err: &err, Format: JSON, Quiet: true}
	if e := screen.Data(1, nil); e != nil {
		t.Fatal(e)
	}
	screen.Note("hint")
	NewProgress(screen).Update(Status{Run: processing()})
	screen.Error("bad")
	if out.String() != "" || err.String() != "bad\n" {
		t.Errorf("out %q, err %q", out.String(), err.String())
	}
}

func TestPlainProgressPrintsALinePerTenth(t *testing.T) {
	t.Parallel()
	var err bytes.Buffer
	progress := NewProgress(Screen{Err: &err})
	clock := now()
	for processed := range int64(1001) {
		r := processing()
		r.Progress = control.Progress{Total: 1000, Processed: processed}
		clock = clock.Add(time.Millisecond)
		progress.Update(Status{Run: r, Now: clock})
	}
	progress.End()
	if got := strings.Count(err.String(), "\n"); got != 11 {
		t.Errorf("%d lines, want 11:\n%s", got, err.String())
	}
	progress.Update(Status{Run: processing(), Now: clock.Add(quietTime)})
	if !strings.Contains(err.String(), "ETA 19s") {
		t.Errorf("no ETA:\n%s", err.String())
	}
}

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0", 999: "999", 1000: "1,000", -1000: "-1,000", 100000: "100,000", 9223372036854775807: "9,223,372,036,854,775,807",
	} {
		if got := number(n); got != want {
			t.Errorf("number(%d) = %q, want %q", n, got, want)
		}
	}
}

// TestNoShareOfAnUnknownTotal: of an interrupted run only the ledger is known, which holds what is done.
func TestNoShareOfAnUnknownTotal(t *testing.T) {
	t.Parallel()
	r := control.Resource{Progress: control.Progress{Total: 14400, Processed: 14400, Successful: 14400}}
	if got := pace(Status{Run: r, Interrupted: true}); !slices.Equal(got, []string{"14,400 rows so far"}) {
		t.Errorf("an interrupted run shows %q", got)
	}
	r.TotalFinal = true
	if got := pace(Status{Run: r}); got[0] != "100%" {
		t.Errorf("a run whose rows are all done shows %q", got)
	}
}
