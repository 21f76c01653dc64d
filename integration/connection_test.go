package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// lacking makes an installation whose importer writes to the connection warehouse, which the command line knows, and
// the setting for processes that do not know it.
func lacking(t *testing.T, p reference.Products, env ...string) (in installation, without []string) {
	t.Helper()
	dir := t.TempDir()
	url := "sqlite:" + filepath.Join(dir, "warehouse.db")
	with := filepath.Join(dir, "with.yaml")
	if err := os.WriteFile(with, []byte("connections:\n  warehouse: {url: \""+url+"\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "without.yaml")
	if err := os.WriteFile(empty, []byte("chunk_size: 100\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in = install(t, toSQLite, rig.RedisOptions{}, p, func(i *reference.Importer) { i.Connection = "warehouse" },
		append(env, "INGEST_CONFIG="+with)...)
	in.want.url = url
	return in, []string{"INGEST_CONFIG=" + empty}
}

// waits blocks until the run says what it waits for.
func (in installation) waits(t *testing.T, id int64, text string) {
	t.Helper()
	rig.Until(t, patience, "the status saying "+text, func() bool {
		waiting := in.Status(id).WaitingFor
		return waiting != nil && strings.Contains(*waiting, text)
	})
	if r := in.Status(id); r.Terminal() || r.Reason != nil {
		t.Fatalf("the run is %s because %q while it waits", r.Status, text)
	}
}

// TestConnectionThatAProcessDoesNotKnow: neither a coordinator nor a worker without the run's connection fails a run
// that others can do; while none can, the run waits and says for whom.
func TestConnectionThatAProcessDoesNotKnow(t *testing.T) {
	t.Parallel()
	in, without := lacking(t, reference.Products{Seed: 3, Rows: 3000, Bad: 0.05}, "INGEST_CHUNK_SIZE=100")
	in.CoordinatorWith(without)
	id := in.Begin("products")
	in.waits(t, id, "no running coordinator knows the connection 'warehouse'")
	foreign := in.StartWith(without, "worker")
	in.Coordinator()
	in.waits(t, id, "no running worker knows the connection 'warehouse'")
	foreign.AwaitOutput("the run is left to other workers", patience)
	in.Worker()
	in.want.check(t, in.System, in.Await(id, patience))
	if n := strings.Count(foreign.Output(), "the run is left to other workers"); n != 1 {
		t.Errorf("the worker said %d times that it does not do the run", n)
	}
}

// TestCancelOfARunWhoseConnectionNobodyKnows ends at once: nothing was written, and nothing can be any more.
func TestCancelOfARunWhoseConnectionNobodyKnows(t *testing.T) {
	t.Parallel()
	in, without := lacking(t, reference.Products{Seed: 3, Rows: 100})
	in.CoordinatorWith(without)
	id := in.Begin("products")
	in.waits(t, id, "no running coordinator knows the connection 'warehouse'")
	in.Must(0, "cancel", fmt.Sprint(id), "--wait")
	if r := in.Status(id); r.Status != "cancelled" || r.WaitingFor != nil {
		t.Errorf("the run is %s and waits for %v", r.Status, text(r.WaitingFor))
	}
}

// TestCancelOfARunThatFails says what is going on: the reason was first, and the end waits for the destination.
func TestCancelOfARunThatFails(t *testing.T) {
	t.Parallel()
	server := rig.StartPostgres(t)
	url := server.Database("warehouse")
	in := install(t, toSQLite, rig.RedisOptions{}, big(40_000),
		func(i *reference.Importer) { i.Connection = "warehouse"; throttled(i) }, "INGEST_CONNECTIONS_WAREHOUSE_URL="+url, slow)
	in.Coordinator()
	in.Worker()
	id := in.Begin("products")
	rig.Until(t, patience, "progress", func() bool { return in.Status(id).Progress.Processed > 1_000 })
	server.Kill9()
	in.redis.Command("HSET", fmt.Sprintf("%s:{%d}:run", in.Namespace(), id), "failure", "The moon is full.")
	rig.Until(t, patience, "the reason", func() bool { return in.Status(id).Reason != nil })
	want := fmt.Sprintf("Ingest run #%d is being stopped already, it ends as failed: The moon is full.", id)
	if out := in.Must(0, "cancel", fmt.Sprint(id)); !strings.Contains(out, want) || strings.Contains(out, "request sent") {
		t.Errorf("cancel says %q, want %q", out, want)
	}
	rig.Until(t, patience, "the status saying what the end waits for", func() bool {
		waiting := in.Status(id).WaitingFor
		return waiting != nil && strings.Contains(*waiting, "warehouse")
	})
	server.Start()
	if r := in.Await(id, patience); r.Status != "failed" || text(r.Reason) != "The moon is full." {
		t.Errorf("the run is %s because %q", r.Status, text(r.Reason))
	}
}
