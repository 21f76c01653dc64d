package integration

import (
	"fmt"
	"strings"
	"testing"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// TestVerifyComparesWithRedis: a run that has ended is compared with what Redis still says of it, number by number.
func TestVerifyComparesWithRedis(t *testing.T) {
	t.Parallel()
	in := install(t, toSQLite, rig.RedisOptions{}, reference.Products{Seed: 3, Rows: 2000, Bad: 0.05}, nil)
	in.Coordinator()
	in.Worker()
	id := in.Begin("products")
	in.want.check(t, in.System, in.Await(id, patience))
	key := fmt.Sprintf("%s:{%d}:", in.Namespace(), id)
	rig.Until(t, patience, "Redis being told", func() bool { return in.redis.Command("HGET", key+"run", "finished") == "1" })
	if out := in.Must(0, "verify", fmt.Sprint(id)); !strings.Contains(out, "redis") || !strings.Contains(out, "All numbers agree.") {
		t.Errorf("verify says\n%s", out)
	}
	for _, test := range []struct{ name, says, spoil, mend string }{
		{"a count", "redis say", "HINCRBY " + key + "run created 1", "HINCRBY " + key + "run created -1"},
		{"the failed rows", "redis say", "HINCRBY " + key + "run failed 1", "HINCRBY " + key + "run failed -1"},
		{"the total", "redis says that there are", "HINCRBY " + key + "run total 1", "HINCRBY " + key + "run total -1"},
		{"the status", "redis says that the run is failed", "HSET " + key + "run status failed", "HSET " + key + "run status completed_with_errors"},
		{"a message", "redis has", "ZADD " + key + "errors 7 x", "ZREM " + key + "errors x"},
		{"a field's message", "redis has", "ZADD " + key + "validation 7 x", "ZREM " + key + "validation x"},
	} {
		in.redis.Command(strings.Fields(test.spoil)...)
		if out := in.Must(1, "verify", fmt.Sprint(id)); !strings.Contains(out, test.says) {
			t.Errorf("%s: verify says\n%s", test.name, out)
		}
		in.redis.Command(strings.Fields(test.mend)...)
	}
	in.Must(0, "verify", fmt.Sprint(id))
}

// TestVerifyOfARunWithoutChunks says that there is nothing to compare, instead of that it agrees.
func TestVerifyOfARunWithoutChunks(t *testing.T) {
	t.Parallel()
	in := install(t, toSQLite, rig.RedisOptions{}, reference.Products{Seed: 3, Rows: 10}, nil)
	path := in.Write("broken.csv", "SKU,Name,Name\n1,a,b\n")
	in.Coordinator()
	in.Must(4, "run", "products", "--file", path)
	want := "Nothing was written: the run ended before its first chunk."
	if out := in.Must(0, "verify", "1"); !strings.Contains(out, want) || strings.Contains(out, "agree") {
		t.Errorf("verify says\n%s", out)
	}
}
