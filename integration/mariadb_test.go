package integration

import (
	"testing"

	"ingest/integration/rig"
)

// TestMariaDBAndWorkersAreKilled: an import into MariaDB, whose server and whose workers are killed in the middle, has the rows
// and the numbers of one that nobody disturbs, and a second one finds them all.
func TestMariaDBAndWorkersAreKilled(t *testing.T) {
	t.Parallel()
	in := install(t, toMariaDB, rig.RedisOptions{}, big(40_000), nil, slow)
	in.Coordinator()
	worker := in.Worker()
	in.Worker()
	id := in.Begin("products")
	rig.Until(t, patience, "progress", func() bool { return in.Status(id).Progress.Processed > 3_000 })
	worker.Kill9()
	in.Worker()
	rig.Until(t, patience, "more progress", func() bool { return in.Status(id).Progress.Processed > 8_000 })
	in.mariadb.Restart()
	in.want.check(t, in.System, in.Await(id, patience))
	if again := in.Await(in.Begin("products"), patience); again.Created > 0 || again.Unchanged == 0 {
		t.Errorf("the same file again: %+v", again) // rows of one key change it back and forth
	}
}
