package pipeline_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/row"
)

func TestGuardedIsWhatASpreadsheetWouldRun(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"": "", "a": "a", "=cmd()": "'=cmd()", "@SUM(1)": "'@SUM(1)", "+1-800": "'+1-800", "-x": "'-x", "\tx": "'\tx", "\rx": "'\rx",
		"-5": "-5", "+5": "+5", "-1.5e3": "-1.5e3", "=5": "'=5", "'=x": "''=x", "'a": "'a", "a=b": "a=b", " =x": " =x",
	} {
		if got := pipeline.Guarded(cell); got != want {
			t.Errorf("%q is guarded as %q, want %q", cell, got, want)
		}
	}
}

func guardedProducts(t testing.TB, header ...string) *pipeline.Program {
	t.Helper()
	d := importer.Definition{
		Format: importer.Format{Nulls: []string{"", "-"}}, Key: []string{"Code"},
		Fields: []importer.Field{field("code", "Code"), field("note", "Note")},
		Rules:  []importer.Rules{rules("Note", rule("max", "6"))},
	}
	text := column.Type{Kind: column.Text}
	return compile(t, d, header, column.Table{Columns: []column.Column{{Name: "code", Type: text}, {Name: "note", Type: text}}})
}

func TestTheGuardComesOffInFilesOfFailedRowsOnly(t *testing.T) {
	t.Parallel()
	failedRows := guardedProducts(t, "Code", "Note", "_error_message", " _row_number")
	other := guardedProducts(t, "Code", "Note")
	for cell, want := range map[string]column.Value{
		"'=cmd()": set("=cmd()"), "'+a": set("+a"), "'-a": set("-a"), "'@a": set("@a"), "'\ta": set("\ta"), "'\ra": set("\ra"),
		"'-": null(), "'": set("'"), "''=a": set("'=a"), "'a": set("'a"), "=a": set("=a"), "a'=": set("a'="), "": null(),
	} {
		values, failure := apply(failedRows, cell, cell, "why", "7")
		if failure != nil {
			t.Fatalf("%q: %v", cell, failure)
		}
		if diff := cmp.Diff([]column.Value{want, want}, values); diff != "" {
			t.Errorf("%q: %s", cell, diff)
		}
		plain := set(cell)
		if cell == "" {
			plain = null()
		}
		if values, failure = apply(other, cell, cell); failure != nil && len(cell) < 7 {
			t.Fatalf("%q: %v", cell, failure)
		} else if failure == nil && !cmp.Equal(plain, values[0]) {
			t.Errorf("%q became %q in a file without row numbers", cell, values[0].Text)
		}
	}
}

func TestAGuardedKeyTakesTheSameRoute(t *testing.T) {
	t.Parallel()
	failedRows, other := guardedProducts(t, "Code", "Note", "_row_number"), guardedProducts(t, "Code", "Note")
	guarded, ok := failedRows.Route(row.Row{Cells: []string{"'=a", "", "7"}}, nil)
	plain, too := other.Route(row.Row{Cells: []string{"=a", ""}}, nil)
	if !ok || !too || string(guarded) != string(plain) {
		t.Errorf("%q and %q", guarded, plain)
	}
}

func TestGuardedHeadersAreFound(t *testing.T) {
	t.Parallel()
	d := importer.Definition{Fields: []importer.Field{field("code", "=Code", "code")}}
	table := column.Table{Columns: []column.Column{{Name: "code", Type: column.Type{Kind: column.Text}}}}
	p := compile(t, d, []string{"'=Code", "_row_number"}, table)
	if values, failure := apply(p, "x", "1"); failure != nil || values[0] != set("x") {
		t.Errorf("%v, %v", values, failure)
	}
	if diff := cmp.Diff([]string{"=Code", ""}, pipeline.PrimaryNames(d, []string{"'=Code", "_row_number"})); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsGuardedComesBack(t *testing.T) {
	t.Parallel()
	d := importer.Definition{Format: importer.Format{Nulls: []string{}}, Fields: []importer.Field{field("a", "a")}}
	p := compile(t, d, []string{"a", "_row_number"}, column.Table{Columns: []column.Column{{Name: "a", Type: column.Type{Kind: column.Text}}}})
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringOf(rapid.SampledFrom([]rune("=+-@\t\r'1ea "))).Draw(t, "cell")
		if strings.HasPrefix(cell, "'") {
			t.Skip("a cell that looks guarded already")
		}
		values, failure := apply(p, pipeline.Guarded(cell), "1")
		if failure != nil || values[0].Text != cell {
			t.Fatalf("%q came back as %q (%v)", cell, values[0].Text, failure)
		}
	})
}
