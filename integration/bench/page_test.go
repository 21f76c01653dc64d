package bench

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/rig"
)

var (
	sizes  = flag.String("sizes", "", "measure with products files of these sizes; without it nothing is measured")
	rounds = flag.Int("rounds", 3, "how often each contender runs")
	only   = flag.String("only", "", "measure the scenes that match")
	out    = flag.String("out", "", "directory of the page, empty = docs")
	update = flag.Bool("update", false, "render the page again of the results that are kept")
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

// TestPage measures and writes the page (`make bench`).
func TestPage(t *testing.T) {
	if *sizes == "" {
		t.Skip("make bench measures")
	}
	options := Options{Rounds: *rounds}
	var err error
	if options.Sizes, err = Sizes(*sizes); err != nil {
		t.Fatal(err)
	}
	report := NewReport()
	if *only != "" {
		options.Only = regexp.MustCompile(*only)
		report = kept(t)
	}
	Measure(t, options, report, func() { keep(t, report) })
}

// TestThePageIsWhatItsResultsSay: nobody has edited the page, and the texts beside targets are those of the code.
func TestThePageIsWhatItsResultsSay(t *testing.T) {
	if *sizes != "" {
		t.Skip("it is being written")
	}
	report := kept(t)
	if len(report.Sizes) == 0 {
		t.Fatal("there are no results: make bench")
	}
	if *update {
		keep(t, report)
	}
	text, plots := report.Page()
	files := map[string]string{filepath.Join(directory(t), "benchmarks.md"): text}
	for name, svg := range plots {
		files[filepath.Join(directory(t), charts, name)] = svg
	}
	for path, want := range files {
		has, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(has)); diff != "" {
			t.Errorf("%s is not what docs/benchmarks/results.json says (go test ./integration/bench -update):\n%s", path, diff)
		}
	}
}

// TestEveryMissedTargetHasItsReason: the page says what limits it.
func TestEveryMissedTargetHasItsReason(t *testing.T) {
	t.Parallel()
	report := kept(t)
	for _, target := range targets() {
		if value, measured := target.measured(report); measured && !target.met(value) && target.limits == "" {
			t.Errorf("%s: %s, and nothing says why", target.what, target.show(value))
		}
	}
}

// directory is where the page is.
func directory(t *testing.T) string {
	t.Helper()
	if *out != "" {
		return *out
	}
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, "docs")
}

// kept are the results that the page shows.
func kept(t *testing.T) *Report {
	t.Helper()
	report := NewReport()
	text, err := os.ReadFile(filepath.Join(directory(t), charts, "results.json"))
	if os.IsNotExist(err) {
		return report
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, report); err != nil {
		t.Fatal(err)
	}
	return report
}

// keep writes the results, the page and the plots.
func keep(t *testing.T, report *Report) {
	t.Helper()
	results, err := json.MarshalIndent(report, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	text, plots := report.Page()
	files := map[string]string{"benchmarks.md": text, filepath.Join(charts, "results.json"): string(results) + "\n"}
	for name, svg := range plots {
		files[filepath.Join(charts, name)] = svg
	}
	if err := os.MkdirAll(filepath.Join(directory(t), charts), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(directory(t), name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
