package admin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ingest/shared/extend"
)

// TestAPathHoldsParameters: they name files of its directory, and a file of one's own needs none of them.
func TestAPathHoldsParameters(t *testing.T) {
	t.Parallel()
	e := extendedBy(t, extend.Extensions{}, `importer: x
source: {path: "in/${region}-${month}.csv"}
destination: {table: x}
params: {month:, region: {default: north}}
fields: [{from: a, to: a}]
`)
	write(t, filepath.Join(e.dir, "in", "north-2026-01.csv"), "a\n1\n")
	write(t, filepath.Join(e.dir, "secret.csv"), "a\n1\n")
	if err := os.Symlink(filepath.Join(e.dir, ".."), filepath.Join(e.dir, "in", "north-up.csv")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"check", 0, ""},
		{"run x --param month=2026-01", 0, "north-2026-01.csv"},
		{"run x --file secret.csv", 0, "secret.csv"},
		{"run x", exitRefused, "The source needs the parameter 'month' (--param month=…)."},
		{"run x --param month=2026-02", exitRefused, `source file "in/north-2026-02.csv" was not found`},
		{"run x --param month=1.csv/../../secret", exitRefused, "must be a name without / and \\"},
		{"run x --param month=up", exitRefused, "is outside of the roots"},
	} {
		if got := e.run(t.Context(), strings.Fields(c.args)...); got.code != c.code || !strings.Contains(got.out+got.errors, c.says) {
			t.Errorf("%s: %+v, want %d and %q", c.args, got, c.code, c.says)
		}
	}
	if got := e.run(t.Context(), "runs", "--output", "json"); strings.Count(got.out, `"importer": "x"`) != 2 {
		t.Errorf("refused runs are runs: %s", got.out)
	}
}
