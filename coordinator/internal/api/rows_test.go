package api

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ingest/shared/control"
)

// TestPreviewOfTheImportersOwnSource: its rows are answered, and nowhere else.
func TestPreviewOfTheImportersOwnSource(t *testing.T) {
	t.Parallel()
	s := newStand(t, nil)
	must(t, os.WriteFile(filepath.Join(s.Config.Importers, "people.yaml"), []byte(`importer: people
source: {path: people.csv}
destination: {table: people}
params: {month: {}}
fields: [{from: email, to: email, transform: upper}, {expr: params.month, to: month}]
rules: {email: email}
`), 0o600))
	must(t, os.WriteFile(filepath.Join(s.dir, "people.csv"), []byte("email\nsecret@example.com\nhidden\nlast@example.com\n"), 0o600))
	got := s.ask(t, "GET", "/api/v1/ingest/importers/people/preview?rows=2&param=month=2026-01", "")
	var body struct{ Data control.Preview }
	must(t, json.Unmarshal(got.Body.Bytes(), &body))
	rows := body.Data.Rows
	if got.Code != http.StatusOK || len(rows) != 2 || !body.Data.More || *rows[0].Fields[0].Value != "SECRET@EXAMPLE.COM" ||
		*rows[0].Fields[1].Value != "2026-01" || rows[1].Errors.Message != "The email field must be a valid email address." {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	for _, cell := range []string{"secret", "SECRET", "hidden"} {
		if strings.Contains(s.log.String(), cell) {
			t.Errorf("%s is in the log", cell)
		}
	}
	for path, want := range map[string]int{
		"/importers/nobody/preview": 404, "/importers/users/preview": 422, "/importers/people/preview?rows=1001": 422,
		"/importers/people/preview?rows=x": 422, "/importers/people/preview?file=/etc/passwd": 422, "/importers/people/preview?param=x=1": 422,
		"/7/rows/1": 404, "/7/rows/99999999999999999999": 404, "/7/rows/x": 404,
	} {
		if got := s.ask(t, "GET", "/api/v1/ingest"+path, ""); got.Code != want || got.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
}
