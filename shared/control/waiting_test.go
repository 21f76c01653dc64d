package control

import (
	"testing"
	"time"

	"ingest/shared/redisstore"
)

func TestARunWaitsForTheLeasesOfSilentWorkersOnly(t *testing.T) {
	t.Parallel()
	type parts = []redisstore.PartitionState
	done, free := redisstore.PartitionState{Emitted: 3, Acked: 3}, redisstore.PartitionState{Emitted: 3, Acked: 1}
	held := func(owner string, left time.Duration) redisstore.PartitionState {
		return redisstore.PartitionState{Emitted: 3, Acked: 1, Owner: owner, Lease: 15 * time.Second, LeaseLeft: left}
	}
	short := held("a/0", 4*time.Second)
	short.Lease = 5 * time.Second
	workers := []redisstore.Process{{ID: "a"}, {ID: "b"}}
	const want = "Waiting: the worker that holds partition 1 is silent; its lease runs out in 5 s, then another one goes on."
	for name, of := range map[string]struct {
		partitions parts
		split      bool
		want       string
	}{
		"nothing":                     {nil, true, ""},
		"all done":                    {parts{done, done}, true, ""},
		"all heard":                   {parts{held("a/0", 14*time.Second), held("b/0", 10*time.Second)}, true, ""},
		"a short lease, renewed":      {parts{short}, true, ""},
		"one heard":                   {parts{held("a/0", 5*time.Second), held("b/0", 12*time.Second)}, true, ""},
		"one free":                    {parts{held("a/0", 5*time.Second), free}, true, ""},
		"one whose lease has run out": {parts{held("a/0", 5*time.Second), held("a/1", -time.Second)}, true, ""},
		"more is to come":             {parts{done, held("a/0", 5*time.Second)}, false, ""},
		"all silent":                  {parts{held("a/0", 7*time.Second), held("a/1", 4100*time.Millisecond)}, true, want},
		"all silent, more to come":    {parts{held("a/0", 7*time.Second), held("a/1", 4100*time.Millisecond)}, false, want},
		"one silent, the others done": {parts{done, held("b/3", 5*time.Second), done}, true, want},
		"nobody else":                 {parts{held("a/0", 7*time.Second), held("b/1", 5*time.Second)}, true, noWorker},
		"an owner that is gone":       {parts{done, held("c/0", 5*time.Second)}, true, want},
	} {
		if got := silent(redisstore.Progress{Partitions: of.partitions, SplitDone: of.split}, workers); got != of.want {
			t.Errorf("%s: %q, want %q", name, got, of.want)
		}
	}
}
