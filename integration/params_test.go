package integration

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/reference"
)

const monthly = `importer: monthly
source: {path: FILE}
destination: {table: monthly, create_table: true}
params: {month: {required: true}, region: {default: north}}
fields:
  - {from: n, to: n, type: integer}
  - {to: month, expr: params.month}
  - {to: region, expr: params.region}
`

// TestParametersReachEveryRow, whichever way they come; wrong ones leave no run, and a retry keeps them.
func TestParametersReachEveryRow(t *testing.T) {
	t.Parallel()
	in := guarded(t, reference.Products{Seed: 1, Rows: 1})
	// Within the roots of this installation.
	file := filepath.Join(filepath.Dir(in.want.importer.Path), "monthly.csv")
	if err := os.WriteFile(file, []byte("n\n1\nx\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	definition := strings.Replace(monthly, "FILE", file, 1)
	in.Write("importers/monthly.yaml", definition)

	refused := in.CLI("run", "monthly", "--param", "mnth=1", "--param", "month=2")
	if refused.Code != 1 || !strings.Contains(refused.Stderr, `The importer 'monthly' has no parameter 'mnth' (did you mean "month"?).`) {
		t.Errorf("an unknown parameter: %+v", refused)
	}
	for _, run := range []func(args ...string) string{
		func(args ...string) string { return in.CLI(args...).Stderr }, func(args ...string) string { return in.there(args...).Stderr },
	} {
		if text := run("run", "monthly"); !strings.Contains(text, "The parameter 'month' is required by the importer 'monthly'") {
			t.Errorf("a missing parameter: %s", text)
		}
	}

	in.Must(3, "run", "monthly", "--param", "month=a;b=c", "--param", "region=")
	for _, args := range [][]string{
		{"run", "monthly", "--param", "month=triggered"},
		{"run", "monthly", "--param", "month=uploaded", "--param", "region=x=y", "--file", file},
	} {
		if result := in.there(args...); result.Code != 3 {
			t.Errorf("%q: %+v", args, result)
		}
	}
	byForm(t, in, "n\n2\n", "month=by form", "region=south")

	in.Must(3, "retry", "1")
	in.Write("importers/monthly.yaml", strings.Replace(definition, "type: integer", `type: integer, transform: [{expr: 'value == "x" ? 7 : value'}]`, 1))
	in.Must(0, "retry", "5")
	want := []string{
		"month=a;b=c\tregion=", "month=a;b=c\tregion=", "month=by form\tregion=south", "month=triggered\tregion=north", "month=uploaded\tregion=x=y",
	}
	if diff := cmp.Diff(want, in.Dump("monthly", "month", "region")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if runs := in.Must(0, "runs", "--importer", "monthly", "--output", "json"); strings.Count(runs, `"importer": "monthly"`) != 6 {
		t.Errorf("runs: %s", runs)
	}
	if warnings := details(t, in.System, 5).Data.Summary.Warnings; len(warnings) != 0 {
		t.Errorf("the retry with the same parameters warns: %v", warnings)
	}
}

// byForm uploads a file as a form with parameters and waits for its run.
func byForm(t *testing.T, in serving, file string, params ...string) {
	t.Helper()
	var fields []field
	for _, param := range params {
		fields = append(fields, field{name: "param", value: param})
	}
	body, kind := form(t, append(fields, field{name: "file", filename: "monthly.csv", value: file})...)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, in.server+"/api/v1/ingest/upload/monthly?replace=true", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", kind)
	request.Header.Set("Authorization", "Bearer "+in.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusAccepted {
		t.Fatalf("%s %s %v", response.Status, answer, err)
	}
	in.Await(4, patience)
}
