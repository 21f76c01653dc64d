package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"ingest/integration/rig"
)

// TestAPIErrorsAreCapped: beyond 1,000 different messages the rest is counted as (other), and the totals stay exact.
func TestAPIErrorsAreCapped(t *testing.T) {
	t.Parallel()
	s := serve(t)
	// Every row has another number of columns too many, and so a message of its own.
	file := "name,email\n"
	const rows = 1_200
	for i := range rows {
		file += "a,b" + strings.Repeat(",x", i+1) + "\n"
	}
	s.upload(t, file)
	if r := s.api.Await(1, patience); r.Progress.Failed != rows {
		t.Fatalf("%d rows failed, want %d", r.Progress.Failed, rows)
	}
	var body struct {
		Data struct {
			Total   int64 `json:"total_failed_rows"`
			Summary []struct {
				Message string
				Count   int64
			} `json:"error_summary"`
		}
	}
	s.api.Get(at(1, "/errors/summary")).Must(t, http.StatusOK).Decode(t, &body)
	var sum, other int64
	for _, entry := range body.Data.Summary {
		sum += entry.Count
		if entry.Message == "(other)" {
			other = entry.Count
		}
	}
	if body.Data.Total != rows || sum != rows || other != rows-1_000 {
		t.Errorf("total %d, sum %d, (other) %d", body.Data.Total, sum, other)
	}
	var shown struct {
		Data struct {
			Summary struct{ Warnings []struct{ Message string } }
		}
	}
	s.api.Get(at(1, "?rows=0")).Must(t, http.StatusOK).Decode(t, &shown)
	if got := fmt.Sprint(shown.Data.Summary.Warnings); !strings.Contains(got, "More than 1000 different messages") {
		t.Errorf("the warnings are %s", got)
	}
}

// TestAPICompositeDuplicate names both columns of the key.
func TestAPICompositeDuplicate(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.Write("importers/stock.yaml", `importer: stock
source: {type: upload}
destination: {table: stock, create_table: true}
key: [store_id, sku]
on_duplicate: fail
fields:
  - {from: store_id, to: store}
  - {from: sku, to: sku}
`)
	s.api.Do("POST", rig.Base+"/upload/stock", "store_id,sku\n1,a\n1,b\n1,a\n", "Content-Type", "text/csv").Must(t, http.StatusAccepted)
	s.api.Await(1, patience)
	want := `{"data":{"total_failed_rows":1,"error_summary":[{"message":"Duplicate entry found for key 'store_id, sku'.","count":1}],"validation_summary":[]}}` + "\n"
	if got := s.api.Get(at(1, "/errors/summary")).Must(t, http.StatusOK).Body; got != want {
		t.Errorf("the summary is %s", got)
	}
}

// TestAPIWithoutTheLedger: a run whose destination cannot be reached is answered without rows, and says so.
func TestAPIWithoutTheLedger(t *testing.T) {
	t.Parallel()
	server := rig.StartPostgres(t)
	s := serve(t, "INGEST_CONNECTIONS_WAREHOUSE_URL="+server.Database("warehouse"))
	s.Migrate()
	s.Write("importers/away.yaml", strings.NewReplacer(
		"importer: users", "importer: away", "{table: users,", "{connection: warehouse, table: users,",
	).Replace(users))
	s.api.Do("POST", rig.Base+"/upload/away", halfBad, "Content-Type", "text/csv").Must(t, http.StatusAccepted)
	if r := s.api.Await(1, patience); r.Progress.Failed != 2 {
		t.Fatalf("%d rows failed", r.Progress.Failed)
	}
	server.Kill9()
	answer := s.api.Get(at(1, "")).Must(t, http.StatusOK)
	if r := answer.Run(t); r.Progress.Failed != 2 || r.WaitingFor == nil ||
		*r.WaitingFor != "The rows cannot be shown: the database of connection 'warehouse' cannot be reached." {
		t.Errorf("the run is answered %s", answer.Body)
	}
	if strings.Contains(answer.Body, `"rows"`) {
		t.Errorf("there are rows: %s", answer.Body)
	}
	refused(t, s.api.Get(at(1, "/rows")), http.StatusServiceUnavailable, "The failed rows cannot be read")
	refused(t, s.api.Get(at(1, "/failed-rows/download")), http.StatusServiceUnavailable, "The failed rows cannot be read")
	refused(t, s.api.Do("POST", rig.Base+"/upload/away", halfBad, "Content-Type", "text/csv"), http.StatusServiceUnavailable,
		"The connection 'warehouse' cannot be reached")
}

// TestAPIUploadOfAnotherKind: a name that says that the file is no CSV is refused before it comes.
func TestAPIUploadOfAnotherKind(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := refused(t, s.api.Do("POST", rig.Base+"/upload/users?filename=people.xlsx", oneUser, "Content-Type", "text/csv"),
		http.StatusUnprocessableEntity, "The file is called people.xlsx, which is XLSX, not CSV")
	if len(p.Errors["file"]) != 1 {
		t.Errorf("the errors are %v", p.Errors)
	}
	form := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"people.json\"\r\n\r\n" + oneUser + "\r\n--b--\r\n"
	refused(t, s.api.Do("POST", rig.Base+"/upload/users", form, "Content-Type", "multipart/form-data; boundary=b"),
		http.StatusUnprocessableEntity, "The file is called people.json, which is JSON, not CSV")
	if runs := s.runs(t); runs != 0 {
		t.Errorf("%d runs were made", runs)
	}
}
