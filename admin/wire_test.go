package admin

import (
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"ingest/shared/config"
	"ingest/worker"
)

func TestEverythingIsWired(t *testing.T) {
	t.Parallel()
	for _, r := range []role{roleCoordinator, roleWorker, roleUp} {
		p := plan{role: r, settings: config.Default(), log: zap.NewNop(), now: time.Now}
		failed := make(chan struct{})
		err := fx.ValidateApp(graph(t.Context(), p), fx.Invoke(func(lc fx.Lifecycle, s *server) { attach(lc, s, failed) }))
		if err != nil {
			t.Errorf("%s: %v", r, err)
		}
	}
}

func TestStopOutlastsTheDrain(t *testing.T) {
	t.Parallel()
	if stopTimeout <= worker.Drain {
		t.Errorf("the stop gives up after %v, a worker drains for %v", stopTimeout, worker.Drain)
	}
}
