package admin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEmbeddedInstallationsShareADatabase and see the runs of their own only.
func TestEmbeddedInstallationsShareADatabase(t *testing.T) {
	t.Parallel()
	shared := []string{"INGEST_CONNECTIONS_DEFAULT_URL=sqlite:" + filepath.Join(t.TempDir(), "shared.db")}
	one, two := installation(t), installation(t)
	if r := resource(t, ingest(t, one, shared, "run", "people", "--output", "json")); r.ID != 1 || r.Created != 2 {
		t.Fatalf("%+v", r)
	}
	if got := ingest(t, two, shared, "runs"); got.code != 0 || got.out != "No ingest runs.\n" {
		t.Errorf("another's runs are listed: %+v", got)
	}
	if got := ingest(t, two, shared, "cancel", "1"); got.code != 1 || !strings.Contains(got.errors, "No ingest run found with ID 1.") {
		t.Errorf("another's run is known: %+v", got)
	}
	if _, err := os.Stat(filepath.Join(two, ".ingest")); !os.IsNotExist(err) {
		t.Errorf("a reading command made the data directory: %v", err)
	}
	if r := resource(t, ingest(t, two, shared, "run", "people", "--output", "json")); r.Unchanged != 2 {
		t.Errorf("%+v", r)
	}
	for dir, id := range map[string]string{one: "1", two: "2"} {
		if got := ingest(t, dir, shared, "runs"); strings.Count(got.out, "people") != 1 {
			t.Errorf("%s sees other runs than its own:\n%s", dir, got.out)
		}
		if got := ingest(t, dir, shared, "status", id); got.code != 0 {
			t.Errorf("%+v", got)
		}
		info, err := os.Stat(filepath.Join(dir, ".ingest", "namespace"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the namespace's file: %v, %v", info, err)
		}
	}
}

// TestAnOlderDataDirectoryKeepsItsNamespace: its runs are those of the namespace every installation had.
func TestAnOlderDataDirectoryKeepsItsNamespace(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	ingest(t, dir, []string{"INGEST_NAMESPACE=ingest"}, "run", "people")
	if got := ingest(t, dir, nil, "runs"); strings.Count(got.out, "people") != 1 {
		t.Errorf("before: %+v", got)
	}
	if got := ingest(t, dir, nil, "run", "people"); got.code != 0 {
		t.Errorf("%+v", got)
	}
	if got := ingest(t, dir, nil, "runs"); strings.Count(got.out, "people") != 2 {
		t.Errorf("after: %+v", got)
	}
	if got := ingest(t, dir, nil, "config", "--output", "json"); !strings.Contains(got.out, `"ingest"`) {
		t.Errorf("%+v", got)
	}
}

func TestADamagedNamespaceIsRefused(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	write(t, filepath.Join(dir, ".ingest", "namespace"), "\n")
	for _, command := range []string{"runs", "run people"} {
		if got := ingest(t, dir, nil, strings.Fields(command)...); got.code != 1 || !strings.Contains(got.errors, "is damaged") {
			t.Errorf("%s: %+v", command, got)
		}
	}
}
