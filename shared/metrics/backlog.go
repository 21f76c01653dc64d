package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Backlog is what lies between the splitters and the workers, over all active runs of the installation.
type Backlog struct {
	Runs int
	// Chunks were emitted and are not acknowledged; Bytes is their size in Redis.
	Chunks, Bytes int64
	// At is when it was seen.
	At time.Time
}

// backlog shows the last Backlog that was seen, and nothing before the first: a worker sees none.
type backlog struct {
	runs, chunks, bytes, at *prometheus.Desc
	last                    *atomic.Pointer[Backlog]
}

func newBacklog() backlog {
	gauge := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, nil, nil)
	}
	return backlog{
		runs:   gauge("active_runs", "Runs of the installation that have not ended, by this coordinator's last sweep."),
		chunks: gauge("backlog_chunks", "Chunks emitted and not yet acknowledged, over all active runs."),
		bytes:  gauge("backlog_bytes", "Bytes of chunks waiting in Redis, over all active runs."),
		at:     gauge("sweep_timestamp_seconds", "When the last sweep that saw every active run ended, in seconds since 1970."),
		last:   &atomic.Pointer[Backlog]{},
	}
}

// Backlog replaces what is shown. Every coordinator shows the backlog of the whole installation: take the maximum over
// them, not the sum.
func (m *Metrics) Backlog(b Backlog) {
	if m != nil {
		m.backlog.last.Store(&b)
	}
}

// Describe implements prometheus.Collector.
func (b backlog) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{b.runs, b.chunks, b.bytes, b.at} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (b backlog) Collect(out chan<- prometheus.Metric) {
	last := b.last.Load()
	if last == nil {
		return
	}
	for d, value := range map[*prometheus.Desc]float64{
		b.runs: float64(last.Runs), b.chunks: float64(last.Chunks), b.bytes: float64(last.Bytes),
		b.at: float64(last.At.UnixMilli()) / 1000,
	} {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
	}
}
