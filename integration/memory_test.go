package integration

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// peak is the greatest resident size of a process so far, in bytes.
func peak(t *testing.T, p *rig.Process) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatal("the kernel tells no VmHWM")
	return 0
}

// TestMemoryStaysFlat imports 1,000,000 products (`make matrix`; a tenth of them in `make test`) within fixed limits.
func TestMemoryStaysFlat(t *testing.T) {
	t.Parallel()
	rows := 100_000
	if fullMatrix() {
		rows = 1_000_000
	}
	in := install(t, toPostgres, rig.RedisOptions{}, reference.Products{Seed: 1, Rows: rows}, nil)
	coordinator, worker := in.Coordinator(), in.Worker()
	r := in.Await(in.Begin("products"), 5*patience)
	if r.Status != "completed" || r.Created != int64(rows) {
		t.Fatalf("the run is %s with %d rows created: %s", r.Status, r.Created, text(r.Reason))
	}
	var redis int64
	for line := range strings.Lines(in.redis.Command("INFO", "memory")) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "used_memory_peak:"); ok {
			redis, _ = strconv.ParseInt(value, 10, 64)
		}
	}
	const mib = 1 << 20
	for _, use := range []struct {
		name        string
		bytes, most int64
	}{
		{"coordinator", peak(t, coordinator), 200 * mib},
		{"worker", peak(t, worker), 200 * mib},
		{"redis", redis, 150 * mib},
	} {
		t.Logf("%s: %d MiB at %d rows", use.name, use.bytes/mib, rows)
		if use.bytes == 0 || use.bytes > use.most {
			t.Errorf("%s took %d MiB, at most %d are allowed", use.name, use.bytes/mib, use.most/mib)
		}
	}
}
