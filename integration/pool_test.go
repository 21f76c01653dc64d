package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"ingest/integration/rig"
	"ingest/shared/database"
)

// TestEverySlotHasAConnection: while the table is locked each slot's chunk waits within a transaction of its own, and what
// is asked besides is answered.
func TestEverySlotHasAConnection(t *testing.T) {
	t.Parallel()
	const slots = 11
	server := rig.StartPostgres(t)
	s := rig.NewSystem(t, rig.SystemOptions{
		RedisURL: rig.StartRedis(t, rig.RedisOptions{}).URL(), Database: server.Database("app"),
		Importers: map[string]string{"rows.yaml": fmt.Sprintf(countedImporter, "rows", fmt.Sprintf("partitions: %d\n", slots))},
		Env:       []string{fmt.Sprintf("INGEST_SLOTS=%d", slots), "INGEST_CHUNK_SIZE=10"},
	})
	s.Write("rows.csv", counted(0, 2000))
	s.Migrate()
	server.SQL("app", "CREATE TABLE rows (n integer PRIMARY KEY, name text)")
	locker, err := database.Open(database.Config{Name: "locker", URL: server.URL("app")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = locker.Close() }()
	tx, err := locker.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	// Readers may look at the table, as the coordinator does.
	if _, err := tx.Exec(context.WithoutCancel(t.Context()), "LOCK TABLE rows IN SHARE MODE"); err != nil {
		t.Fatal(err)
	}
	s.Coordinator()
	s.Worker()
	id := s.Begin("rows")
	rig.Until(t, patience, "a waiting transaction for every slot", func() bool {
		waiting := server.SQL("app", "SELECT COUNT(DISTINCT application_name) FROM pg_stat_activity WHERE application_name LIKE 'ingest %/%' AND wait_event_type = 'Lock'")
		return waiting[0] == fmt.Sprint(slots)
	})
	if shown := s.Must(0, "status", fmt.Sprint(id)); !strings.Contains(shown, "processing") {
		t.Errorf("status says:\n%s", shown)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if r := s.Await(id, patience); r.Status != "completed" || r.Created != 2000 {
		t.Errorf("%+v", r)
	}
	s.Check(id)
}
