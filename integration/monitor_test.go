package integration

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// monitored gives every process an internal listener on a port of its own.
const monitored = "INGEST_INTERNAL_LISTEN=127.0.0.1:0"

// scraped are the numbers of one process, as Prometheus reads them.
type scraped map[string]*dto.MetricFamily

func scrape(t *testing.T, p *rig.Process) scraped {
	t.Helper()
	response, err := http.Get("http://" + p.Monitor() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// value is the sum of a family's values whose one label has this value, or of all for "".
func (s scraped) value(name, label string) int64 {
	var sum float64
	for _, m := range s[name].GetMetric() {
		if label == "" || m.GetLabel()[0].GetValue() == label {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return int64(sum)
}

// rows are the rows by outcome.
func (s scraped) rows() reference.Result {
	const name = "ingest_rows_total"
	return reference.Result{
		Created: s.value(name, "created"), Updated: s.value(name, "updated"), Unchanged: s.value(name, "unchanged"),
		Skipped: s.value(name, "skipped"), Failed: s.value(name, "failed"),
	}
}

// TestWhatIsScrapedIsWhatTheRunCounts: over all workers, rows by outcome are those of the run; nothing is left in the
// backlog when it has ended.
func TestWhatIsScrapedIsWhatTheRunCounts(t *testing.T) {
	t.Parallel()
	in := install(t, toPostgres, rig.RedisOptions{}, reference.Products{Seed: 3, Rows: 30_000, Repeated: 0.2, Bad: 0.03},
		func(i *reference.Importer) { i.Partitions = 4 }, monitored, "INGEST_CHUNK_SIZE=500", "INGEST_SLOTS=1")
	coordinator := in.Coordinator()
	workers := []*rig.Process{in.Worker(), in.Worker()}
	r := in.Await(in.Begin("products"), patience)
	in.want.check(t, in.System, r)
	// What would be written counts nowhere.
	if dry := in.Await(in.Begin("products", "--dry-run"), patience); dry.Status != "completed_with_errors" {
		t.Fatalf("the dry run is %s", dry.Status)
	}

	var got reference.Result
	for _, worker := range workers {
		numbers := scrape(t, worker)
		rows := numbers.rows()
		got.Created, got.Updated, got.Unchanged = got.Created+rows.Created, got.Updated+rows.Updated, got.Unchanged+rows.Unchanged
		got.Skipped, got.Failed = got.Skipped+rows.Skipped, got.Failed+rows.Failed
		const latency = "ingest_chunk_duration_seconds"
		commits := numbers.value(latency, "commit")
		for _, phase := range []string{"check", "write", "ack"} {
			if n := numbers.value(latency, phase); n != commits || n == 0 {
				t.Errorf("%d times %s, %d commits", n, phase, commits)
			}
		}
		if n := numbers.value("ingest_partition_takeovers_total", ""); n != 0 {
			t.Errorf("%d takeovers although nobody died", n)
		}
	}
	want := reference.Result{Created: r.Created, Updated: r.Updated, Unchanged: r.Unchanged, Skipped: r.Skipped, Failed: r.Progress.Failed}
	if diff := cmp.Diff(want, got); diff != "" || want.Failed == 0 {
		t.Errorf("rows (-run +scraped):\n%s", diff)
	}
	if n := scrape(t, coordinator).value("ingest_runs_ended_total", "completed_with_errors"); n != 2 {
		t.Errorf("%d runs ended", n)
	}
	rig.Until(t, patience, "an empty backlog", func() bool {
		numbers := scrape(t, coordinator)
		return numbers["ingest_backlog_chunks"] != nil && numbers.value("ingest_backlog_chunks", "") == 0 &&
			numbers.value("ingest_backlog_bytes", "") == 0 && numbers.value("ingest_active_runs", "") == 0
	})
}

// TestATakeoverIsScraped kills a worker in the middle of an import: the one that takes over says so, and while nobody
// works the backlog is there to be seen.
func TestATakeoverIsScraped(t *testing.T) {
	t.Parallel()
	in := install(t, toPostgres, rig.RedisOptions{}, big(60_000),
		func(i *reference.Importer) { i.Partitions = 2 }, monitored, slow)
	coordinator := in.Coordinator()
	victim := in.Worker()
	id := in.Begin("products")
	rig.Until(t, patience, "progress", func() bool { return in.Status(id).Progress.Processed > 2_000 })
	// It is killed in the middle of a chunk: between commit and acknowledgement nothing would have to be handed out again.
	release := lockTable(t, in, "products")
	rig.Until(t, patience, "a chunk waiting for the table", func() bool {
		return in.postgres.SQL("ingest", `SELECT count(*) FROM pg_stat_activity
			WHERE application_name LIKE 'ingest %/%' AND wait_event_type = 'Lock'`)[0] != "0"
	})
	victim.Kill9()
	release()
	if in.Status(id).Terminal() {
		t.Fatal("the run was too short to prove anything")
	}
	rig.Until(t, patience, "a backlog", func() bool {
		numbers := scrape(t, coordinator)
		return numbers.value("ingest_backlog_chunks", "") > 0 && numbers.value("ingest_backlog_bytes", "") > 0 &&
			numbers.value("ingest_active_runs", "") == 1
	})
	heir := in.Worker()
	in.want.check(t, in.System, in.Await(id, patience))
	numbers := scrape(t, heir)
	for _, name := range []string{"ingest_partition_takeovers_total", "ingest_chunk_redeliveries_total"} {
		if numbers.value(name, "") == 0 {
			t.Errorf("%s is 0 after a worker was killed", name)
		}
	}
}

// TestHealth asks a role by the configuration it has, as the health check of a container does.
func TestHealth(t *testing.T) {
	t.Parallel()
	redis := rig.StartRedis(t, rig.RedisOptions{})
	postgres := rig.StartPostgres(t)
	sys := rig.NewSystem(t, rig.SystemOptions{RedisURL: redis.URL(), Database: postgres.Database("ingest"), Env: []string{monitored}})
	sys.Migrate()
	address := "--internal-listen=" + sys.Coordinator().Monitor()
	worker := "--internal-listen=" + sys.Worker().Monitor()
	sys.Must(0, "health", address)
	if got := sys.Must(0, "health", worker, "--output", "json"); !strings.Contains(got, `"ready"`) {
		t.Errorf("as JSON: %s", got)
	}
	postgres.Kill9()
	sys.Must(0, "health", worker)
	if result := sys.CLI("health", address); result.Code != 1 || !strings.Contains(result.Stderr, "the registry: The database ") { // cannot be reached, or ended the session
		t.Errorf("without the registry: %+v", result)
	}
	redis.Kill9()
	for _, of := range []string{address, worker} {
		result := sys.CLI("health", of)
		if result.Code != 1 || result.Stdout != "" || strings.Count(result.Stderr, "\n") != 1 || !strings.Contains(result.Stderr, "redis does not answer") {
			t.Errorf("without Redis: %+v", result)
		}
	}
	if result := sys.CLI("worker", address); result.Code != 1 {
		t.Errorf("a worker without Redis: %+v", result)
	}
}

// TestATakenAddressEndsTheStart: a role that cannot be watched although it should be does not begin to work.
func TestATakenAddressEndsTheStart(t *testing.T) {
	t.Parallel()
	redis := rig.StartRedis(t, rig.RedisOptions{})
	sys := rig.NewSystem(t, rig.SystemOptions{RedisURL: redis.URL(), Env: []string{monitored}})
	taken := sys.Start("worker").Monitor()
	result := sys.CLI("worker", "--internal-listen="+taken)
	if result.Code != 1 || !strings.Contains(result.Stderr, taken) || !strings.Contains(result.Stderr, "INGEST_INTERNAL_LISTEN") ||
		strings.Contains(result.Stderr, "started") {
		t.Errorf("%+v", result)
	}
}
