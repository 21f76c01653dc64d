package control

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/importer"
	"ingest/shared/run"
)

func parametrised() importer.Definition {
	north := "north"
	return importer.Definition{Slug: "x", Params: []importer.Param{
		{Name: "month", Required: true}, {Name: "region", Default: &north}, {Name: "note"},
	}}
}

func TestParametersAreJudgedBeforeThereIsARun(t *testing.T) {
	t.Parallel()
	for want, params := range map[string]map[string]string{
		"": {"month": "", "note": "ä"},
		"The parameter 'month' is required by the importer 'x' (--param month=…).":     {"note": "x"},
		"The importer 'x' has no parameter 'mnth' (did you mean \"month\"?).":          {"month": "x", "mnth": "x"},
		"The importer 'x' has no parameter 'zzzzzz' (there are: month, region, note).": {"month": "x", "zzzzzz": "x"},
		"The parameter 'note' has more than 4096 bytes.":                               {"month": "x", "note": strings.Repeat("x", 4097)},
		"The parameter 'note' contains a NUL character.":                               {"month": "x", "note": "\x00"},
		"The parameter 'note' is not valid UTF-8.":                                     {"month": "x", "note": "\xff"},
	} {
		d, err := given(parametrised(), params)
		if want == "" {
			if diff := cmp.Diff(params, d.Given); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			continue
		}
		refusal, ok := err.(*Error)
		if !ok || refusal.Message != want || refusal.Kind != Invalid || refusal.Field != "params" {
			t.Errorf("%v: got %v, want %s", params, err, want)
		}
	}
	if _, err := given(importer.Definition{Slug: "y"}, map[string]string{"a": "b"}); err == nil ||
		err.Error() != "The importer 'y' has no parameter 'a' (it has none)." {
		t.Errorf("got %v", err)
	}
}

func TestARetryInheritsTheParametersThereStillAre(t *testing.T) {
	t.Parallel()
	d := parametrised()
	d.Given = map[string]string{"month": "2026-01", "gone": "x"}
	snapshot, _ := d.Snapshot()
	got, err := inherited(run.Run{Definition: snapshot}, parametrised())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"month": "2026-01"}, got); diff != "" {
		t.Error(diff)
	}
	none, err := inherited(run.Run{Definition: json.RawMessage(`{"importer":"x","later":true}`)}, parametrised())
	if err != nil || len(none) != 0 {
		t.Errorf("got %v, %v", none, err)
	}
}
