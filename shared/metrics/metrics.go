// Package metrics counts what a process does, for Prometheus.
//
// The numbers belong to a value that is passed in, never to the process: two in one program do not meet. Every label
// has a small fixed set of values, and those known before are there from the start as 0, so that a rate has something
// to begin with. A nil *Metrics counts nothing, and counting neither fails nor allocates.
//
// They are for watching, not for accounting: a killed process takes its last numbers with it. What took effect is in
// the ledger.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"ingest/shared/run"
)

// Metrics are the numbers of one process. Make them with New. All methods are safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	now      func() time.Time

	runs         *prometheus.CounterVec
	rows         outcomes
	phases       [phases]prometheus.Observer
	redeliveries prometheus.Counter
	takeovers    prometheus.Counter
	retries      *prometheus.CounterVec
	fatal        prometheus.Counter
	backlog      backlog
}

// outcomes are the counters of rows, one per outcome, looked up once.
type outcomes struct{ created, updated, unchanged, skipped, failed prometheus.Counter }

// New returns the numbers of a process that does the work of a role. now is the clock of Watch.
func New(role, version string, now func() time.Time) *Metrics {
	registry := prometheus.NewRegistry()
	m := &Metrics{
		registry: registry, now: now,
		runs: counters("runs_ended_total", "Runs that ended, by their final status.", "status"),
		redeliveries: counter("chunk_redeliveries_total",
			"Chunks that were handed out to this worker and had been handed out before."),
		takeovers: counter("partition_takeovers_total",
			"Partitions this worker took over because the lease of another one had run out."),
		retries: counters("chunk_retries_total",
			"Attempts at a chunk that have to be repeated because of something that passes, by reason.", "reason"),
		fatal: counter("fatal_errors_total", "Errors that end a run because no repetition can mend them."),
	}
	for _, status := range run.Statuses() {
		if status.Terminal() {
			m.runs.WithLabelValues(string(status))
		}
	}
	rows := counters("rows_total", "Rows of chunks this process committed, by outcome; without those of dry runs.", "outcome")
	m.rows = outcomes{
		created: rows.WithLabelValues("created"), updated: rows.WithLabelValues("updated"),
		unchanged: rows.WithLabelValues("unchanged"), skipped: rows.WithLabelValues("skipped"),
		failed: rows.WithLabelValues("failed"),
	}
	latency := newLatency()
	for phase, name := range phaseNames {
		m.phases[phase] = latency.WithLabelValues(name)
	}
	m.backlog = newBacklog()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "1, with what this process is.",
		ConstLabels: prometheus.Labels{"role": role, "version": version},
	})
	build.Set(1)
	registry.MustRegister(
		m.runs, rows, latency, m.redeliveries, m.takeovers, m.retries, m.fatal, build, m.backlog,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

const namespace = "ingest"

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
}

func counters(name, help, label string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, []string{label})
}

// Handler answers a scrape with the numbers as they are then. It waits for nothing: no server is asked.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// RunEnded counts a run that has become terminal, by whoever made it so.
func (m *Metrics) RunEnded(status run.Status) {
	if m != nil {
		m.runs.WithLabelValues(string(status)).Inc()
	}
}

// Rows counts the rows of a chunk. It is called by whose transaction committed them and by nobody else, so that over
// all processes no row is counted twice.
func (m *Metrics) Rows(c run.Counts) {
	if m == nil {
		return
	}
	m.rows.created.Add(float64(c.Created))
	m.rows.updated.Add(float64(c.Updated))
	m.rows.unchanged.Add(float64(c.Unchanged))
	m.rows.skipped.Add(float64(c.Skipped))
	m.rows.failed.Add(float64(c.Failed))
}

// Redelivery counts a chunk that had been handed out before.
func (m *Metrics) Redelivery() {
	if m != nil {
		m.redeliveries.Inc()
	}
}

// Takeover counts a partition whose former owner let its lease run out.
func (m *Metrics) Takeover() {
	if m != nil {
		m.takeovers.Inc()
	}
}

// Retry counts an attempt at a chunk that has to be repeated. reason is one of a fixed set of words.
func (m *Metrics) Retry(reason string) {
	if m != nil {
		m.retries.WithLabelValues(reason).Inc()
	}
}

// Fatal counts an error that ends a run.
func (m *Metrics) Fatal() {
	if m != nil {
		m.fatal.Inc()
	}
}
