package integration

import (
	"strconv"
	"strings"
	"testing"

	"ingest/integration/reference"
	"ingest/integration/rig"
	"ingest/shared/listener/porttest"
)

// TestRunOnARedisCluster imports through a cluster of one node: every script must keep to one slot.
func TestRunOnARedisCluster(t *testing.T) {
	t.Parallel()
	redis := cluster(t)
	path := products(t, t.TempDir(), reference.Products{Seed: 2, Rows: 20_000, Repeated: 0.2, Bad: 0.02})
	importer := reference.ProductsImporter(path, "update")
	importer.Partitions = 3
	sys := rig.NewSystem(t, rig.SystemOptions{
		RedisURL:  "redis+cluster://" + redis.Addr(),
		Importers: map[string]string{"products.yaml": importer.YAML()},
	})
	sys.Migrate()
	sys.Coordinator()
	sys.Worker()
	if result := sys.CLI("run", "products", "--file", path); result.Code != 3 {
		t.Fatalf("exit code %d: %s", result.Code, result.Stderr)
	}
	expect(t, importer, path).check(t, sys, sys.Status(1))
}

// cluster starts a Redis Cluster of one node.
func cluster(t *testing.T) *rig.Redis {
	t.Helper()
	redis := rig.StartRedis(t, rig.RedisOptions{Args: []string{"--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(porttest.Free(t))}})
	redis.Command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
	rig.Until(t, patience, "the cluster being ready", func() bool {
		return strings.Contains(redis.Command("CLUSTER", "INFO"), "cluster_state:ok")
	})
	return redis
}
