package integration

import (
	"path/filepath"
	"strings"
	"testing"

	"ingest/integration/rig"
)

// delivering is an installation whose rows go into files and whose ledger is in PostgreSQL; one row of ten fails. The default
// connection is url where a process does not say otherwise.
func delivering(t *testing.T, url string, rows int) (in installation, want map[string]string) {
	t.Helper()
	importer := strings.Replace(outlets("lines")["lines.yaml"], "fields:\n", "rules: {id: 'regex:/[^3]$/'}\nfields:\n", 1)
	in.System = rig.NewSystem(t, rig.SystemOptions{
		RedisURL: rig.StartRedis(t, rig.RedisOptions{}).URL(), Database: url,
		Env:       []string{"INGEST_CONNECTIONS_LINES_URL=ndjson:lines", "INGEST_SLOTS=1", "INGEST_LEASE=500ms"},
		Importers: map[string]string{"lines.yaml": importer},
	})
	file, want := typedRows(rows)
	for id := range want {
		if strings.HasSuffix(id, "3") {
			delete(want, id)
		}
	}
	in.Write("x.csv", file)
	in.Migrate()
	return in, want
}

// delivered checks a run against what its rows are.
func (in installation) delivered(t *testing.T, id int64, want map[string]string) {
	t.Helper()
	if r := in.Await(id, patience); r.Status != "completed_with_errors" || r.Created != int64(len(want)) {
		t.Errorf("%d rows, want %d: %+v", r.Created, len(want), r)
	}
	in.Check(id)
	verify(t, in.System, id)
	compareRows(t, want, lines(t, filepath.Join(in.Dir, "lines")))
}

// TestWorkersDieAroundADelivery: at every place between the sink, the ledger and Redis.
func TestWorkersDieAroundADelivery(t *testing.T) {
	t.Parallel()
	in, want := delivering(t, rig.StartPostgres(t).Database("ingest"), 1500)
	in.System = in.With(rig.Failing(t))
	in.Coordinator()
	id := in.Begin("lines")
	for _, point := range []string{"worker.fetched", "worker.written", "worker.committed", "worker.acked"} {
		in.dies(t, "worker", point, 2)
	}
	in.Worker()
	in.delivered(t, id, want)
}

// TestTheReplyOfARecordIsLost: a delivered chunk is recorded by one statement of its own, which took effect or did not, and nobody knows
// until the head says so. Every third one is lost, its reply or the whole request.
func TestTheReplyOfARecordIsLost(t *testing.T) {
	t.Parallel()
	for name, loss := range map[string]rig.Loss{"the reply": rig.LostReply, "the request": rig.LostRequest} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			postgres := rig.StartPostgres(t)
			in, want := delivering(t, postgres.Database("ingest"), 1500)
			proxy := rig.StartProxy(t, postgres.Addr())
			in.Coordinator()
			in.StartWith([]string{"INGEST_CONNECTIONS_DEFAULT_URL=" + postgres.URLAt(proxy.Address(), "ingest")}, "worker")
			// Of what a worker sends only the record of a chunk has the messages of its rows.
			proxy.Lose(loss, `{"errors"`, 3)
			in.delivered(t, in.Begin("lines"), want)
			if proxy.Lost() < 10 {
				t.Errorf("only %d records were lost", proxy.Lost())
			}
		})
	}
}
