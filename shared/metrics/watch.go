package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Phase is a part of a chunk's way through a worker.
type Phase int

// The phases, in their order.
const (
	// Check is decoding the chunk and applying the pipeline to its rows.
	Check Phase = iota
	// Write is the transaction, from its begin up to the commit; the delivery, where the rows go to no database.
	Write
	// Commit is the commit alone; the record of the chunk, where the rows go to no database.
	Commit
	// Ack is the acknowledgement, which brings the next chunk.
	Ack

	phases
)

var phaseNames = [...]string{Check: "check", Write: "write", Commit: "commit", Ack: "ack"}

// newLatency has buckets from a millisecond, which an acknowledgement takes, to a minute, after which somebody waits
// for a lock.
func newLatency() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: "chunk_duration_seconds",
		Help: "How long a chunk spends in each phase: check, write (the transaction up to the commit), commit, ack.",
		Buckets: []float64{
			0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
		},
	}, []string{"phase"})
}

// Watch measures one chunk, phase after phase. The zero value measures nothing. It is for one goroutine.
type Watch struct {
	metrics *Metrics
	last    time.Time
}

// Watch starts to measure.
func (m *Metrics) Watch() Watch {
	if m == nil {
		return Watch{}
	}
	return Watch{metrics: m, last: m.now()}
}

// Lap notes how long the phase took that ends now. What fails is not noted: its duration says nothing about the work.
func (w *Watch) Lap(p Phase) {
	if w.metrics == nil {
		return
	}
	now := w.metrics.now()
	w.metrics.phases[p].Observe(now.Sub(w.last).Seconds())
	w.last = now
}
