package draft_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"ingest/admin/internal/draft"
	"ingest/shared/extend"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
)

// columnOf draws the values of a column that hang together, as those of real files do, and now and then one that does not.
func columnOf(t *rapid.T, rows int) []string {
	digits := rapid.StringMatching
	all := []*rapid.Generator[string]{
		digits(`-?[1-9][0-9]{0,17}`),
		digits(`0?[0-9]{1,4}`),
		digits(`\+?[0-9]{1,3}`),
		digits(`-?[0-9]{1,12}\.[0-9]{1,9}`),
		digits(`[0-9]{1,3}\.[0-9]{3}`),
		digits(`-?[0-9]{1,3}(\.[0-9]{3})?,[0-9]{1,4}`),
		digits(`[0-9]{1,3}(,[0-9]{3}){0,3}(\.[0-9]{1,2})?`),
		digits(`[0-9]{1,4}[Ee][0-9]{1,3}`),
		digits(`(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])`),
		digits(`20[0-9]{2}-01-0[1-9][T ][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?(Z|\+02:00)?`),
		digits(`[0-3]?[0-9][./-][0-3]?[0-9][./-](19|20)[0-9]{2}( [0-2][0-9]:[0-5][0-9])?`),
		rapid.SampledFrom([]string{"0", "1"}),
		rapid.SampledFrom([]string{"true", "False", "TRUE"}),
		rapid.SampledFrom([]string{"yes", "No", "y", "on", "off"}),
		digits(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-fA-F]{12}`),
		rapid.String().Filter(func(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }),
	}
	kind := rapid.SampledFrom(all).Draw(t, "kind")
	other := rapid.SampledFrom(all).Draw(t, "other kind")
	values := make([]string, rows)
	for i := range values {
		switch rapid.IntRange(0, 19).Draw(t, "odd") {
		case 0:
		case 1:
			values[i] = other.Draw(t, "other value")
		case 2:
			values[i] = " " + kind.Draw(t, "value") + " "
		default:
			values[i] = kind.Draw(t, "value")
		}
	}
	return values
}

// TestWhatIsMadeTakesItsSample: whatever the table, the importer is valid and none of its rows fails.
func TestWhatIsMadeTakesItsSample(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		delimiter := rapid.SampledFrom([]string{",", ";", "\t", "|"}).Draw(rt, "delimiter")
		rows, width := rapid.IntRange(0, 8).Draw(rt, "rows"), rapid.IntRange(1, 5).Draw(rt, "width")
		name := rapid.OneOf(rapid.StringMatching(`[a-zA-Z_ äß.:#&*!|>'"%@{}\[\],?-]{0,9}`), rapid.String())
		var lines [][]string
		var header []string
		for i := range width {
			header = append(header, fmt.Sprintf("%s%d", strings.ReplaceAll(name.Draw(rt, "name"), "\x00", ""), i))
		}
		lines = append(lines, header)
		for range rows {
			lines = append(lines, make([]string, width))
		}
		for i := range width {
			for n, value := range columnOf(rt, rows) {
				lines[n+1][i] = value
			}
		}
		var text strings.Builder
		for _, cells := range lines {
			for i, cell := range cells {
				if i > 0 {
					text.WriteString(delimiter)
				}
				text.WriteString(`"` + strings.ReplaceAll(cell, `"`, `""`) + `"`)
			}
			text.WriteString("\n")
		}
		s := sample(text.String())
		if _, err := draft.Read(s); err != nil && strings.HasPrefix(err.Error(), "The header names no column") {
			return
		}
		d, yaml := made(rt, s)
		if messages, _ := refused(t, d, s); messages != nil {
			rt.Fatalf("rows of the sample fail: %q\n%s\n%s", messages, text.String(), yaml)
		}
	})
}

// FuzzRead: whatever the bytes, what is made of them is a valid importer.
func FuzzRead(f *testing.F) {
	f.Add("id;a\n1;2\n")
	f.Add("sep=|\n\"a\nb\"|c\n1,5|2024-01-31\n")
	f.Add("a,a ,_b,\n1,,,\n1\n")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := draft.Read(sample(text))
		if err != nil {
			return
		}
		yaml := d.Importer(draft.Names{Importer: "made", Sample: text, Path: "x"})
		if _, err := importer.Parse("made.yaml", yaml, pipeline.Checks(extend.Extensions{})); err != nil {
			t.Errorf("the importer is not valid: %v\n%s", err, yaml)
		}
	})
}
