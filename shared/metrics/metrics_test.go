package metrics_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"ingest/shared/metrics"
	"ingest/shared/run"
)

// scrape asks over HTTP as Prometheus does and reads the answer with its own parser.
func scrape(t *testing.T, m *metrics.Metrics) map[string]*dto.MetricFamily {
	t.Helper()
	server := httptest.NewServer(m.Handler())
	defer server.Close()
	response, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %v", response.StatusCode, err)
	}
	return families
}

// values are a family's values by the one label it has, "" for none.
func values(family *dto.MetricFamily) map[string]float64 {
	found := map[string]float64{}
	for _, m := range family.GetMetric() {
		label := ""
		for _, pair := range m.GetLabel() {
			label = pair.GetValue()
		}
		found[label] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return found
}

func TestWhatIsCountedIsScraped(t *testing.T) {
	t.Parallel()
	m := metrics.New("worker", "1.2.3", time.Now)
	m.Rows(run.Counts{Created: 1, Updated: 2, Unchanged: 3, Skipped: 4, Failed: 5})
	m.Rows(run.Counts{Created: 10})
	m.RunEnded(run.CompletedWithErrors)
	m.Redelivery()
	m.Takeover()
	m.Takeover()
	m.Retry("timeout")
	m.Fatal()
	m.Backlog(metrics.Backlog{Runs: 2, Chunks: 7, Bytes: 700, At: time.UnixMilli(1500)})
	got := scrape(t, m)
	for name, want := range map[string]map[string]float64{
		"ingest_rows_total":                {"created": 11, "updated": 2, "unchanged": 3, "skipped": 4, "failed": 5},
		"ingest_runs_ended_total":          {"completed": 0, "completed_with_errors": 1, "failed": 0, "cancelled": 0},
		"ingest_chunk_redeliveries_total":  {"": 1},
		"ingest_partition_takeovers_total": {"": 2},
		"ingest_chunk_retries_total":       {"timeout": 1},
		"ingest_fatal_errors_total":        {"": 1},
		"ingest_active_runs":               {"": 2},
		"ingest_backlog_chunks":            {"": 7},
		"ingest_backlog_bytes":             {"": 700},
		"ingest_sweep_timestamp_seconds":   {"": 1.5},
	} {
		if diff := cmp.Diff(want, values(got[name])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, name := range []string{"go_goroutines", "ingest_build_info"} {
		if got[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestAWatchTellsPhasesApart(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	m := metrics.New("worker", "", func() time.Time { return now })
	watch := m.Watch()
	for phase, took := range map[metrics.Phase]time.Duration{metrics.Check: time.Second, metrics.Ack: 3 * time.Second} {
		now = now.Add(took)
		watch.Lap(phase)
	}
	sums, counts := map[string]float64{}, map[string]uint64{}
	for _, metric := range scrape(t, m)["ingest_chunk_duration_seconds"].GetMetric() {
		phase := metric.GetLabel()[0].GetValue()
		sums[phase] = metric.GetHistogram().GetSampleSum()
		counts[phase] = metric.GetHistogram().GetSampleCount()
	}
	if diff := cmp.Diff(map[string]float64{"check": 1, "write": 0, "commit": 0, "ack": 3}, sums); diff != "" {
		t.Errorf("seconds (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]uint64{"check": 1, "write": 0, "commit": 0, "ack": 1}, counts); diff != "" {
		t.Errorf("observations (-want +got):\n%s", diff)
	}
}

func TestBeforeTheFirstSweepThereIsNoBacklog(t *testing.T) {
	t.Parallel()
	got := scrape(t, metrics.New("worker", "", time.Now))
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if name == "ingest_backlog_chunks" || name == "ingest_active_runs" {
			t.Errorf("%s is shown by a process that saw no run", name)
		}
	}
}

// TestNothingIsCountedWithoutMetrics: parts are used without them, too.
func TestNothingIsCountedWithoutMetrics(t *testing.T) {
	t.Parallel()
	var none *metrics.Metrics
	none.Rows(run.Counts{Created: 1})
	none.RunEnded(run.Failed)
	none.Redelivery()
	none.Takeover()
	none.Retry("x")
	none.Fatal()
	none.Backlog(metrics.Backlog{})
	watch := none.Watch()
	watch.Lap(metrics.Check)
}

// TestCountingDoesNotAllocate: chunks are counted on the hot path.
func TestCountingDoesNotAllocate(t *testing.T) { //nolint:paralleltest // allocations are counted process-wide
	m := metrics.New("worker", "", time.Now)
	counts := run.Counts{Created: 1, Failed: 1}
	allocations := testing.AllocsPerRun(100, func() {
		watch := m.Watch()
		watch.Lap(metrics.Check)
		watch.Lap(metrics.Write)
		m.Rows(counts)
	})
	if allocations != 0 {
		t.Errorf("%v allocations per chunk", allocations)
	}
}
