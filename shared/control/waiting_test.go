package control

import (
	"testing"
	"time"

	"ingest/shared/redisstore"
)

func TestARunWaitsForTheLeasesOfSilentWorkersOnly(t *testing.T) {
	t.Parallel()
	done := redisstore.PartitionState{Emitted: 3, Acked: 3}
	held := func(left time.Duration) redisstore.PartitionState {
		return redisstore.PartitionState{Emitted: 3, Acked: 1, Owner: "worker/0", LeaseLeft: left}
	}
	free := redisstore.PartitionState{Emitted: 3, Acked: 1}
	const want = "Waiting: the worker that holds partition 1 is silent; its lease runs out in 5 s, then another one goes on."
	for name, of := range map[string]struct {
		partitions []redisstore.PartitionState
		want       string
	}{
		"nothing":                     {},
		"all done":                    {partitions: []redisstore.PartitionState{done, done}},
		"all heard":                   {partitions: []redisstore.PartitionState{held(14 * time.Second), held(10 * time.Second)}},
		"one heard":                   {partitions: []redisstore.PartitionState{held(5 * time.Second), held(12 * time.Second)}},
		"one free":                    {partitions: []redisstore.PartitionState{held(5 * time.Second), free}},
		"one whose lease has run out": {partitions: []redisstore.PartitionState{held(5 * time.Second), held(-time.Second)}},
		"all silent":                  {[]redisstore.PartitionState{held(7 * time.Second), held(4100 * time.Millisecond)}, want},
		"one silent, the others done": {[]redisstore.PartitionState{done, held(5 * time.Second), done}, want},
		"its owner's last breath":     {[]redisstore.PartitionState{done, held(time.Millisecond)}, "Waiting: the worker that holds partition 1 is silent; its lease runs out in 1 s, then another one goes on."},
	} {
		if got := silent(of.partitions, 15*time.Second); got != of.want {
			t.Errorf("%s: %q, want %q", name, got, of.want)
		}
	}
}
