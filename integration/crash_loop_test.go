package integration

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"ingest/integration/rig"
)

// TestEveryCrashPointEveryTime: one small run for each place and each time that a run comes by it. It takes long and is for
// `make crash`; TestProcessesDieBetweenTwoStores meets each place once.
func TestEveryCrashPointEveryTime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		in := crashing(t, to, 600)
		for _, role := range []string{"coordinator", "worker"} {
			for _, point := range in.points(role) {
				times := 1
				for in.crash(t, role, point, times) && fullMatrix() {
					times++
				}
				t.Logf("%s %s: %d times", role, point, times-1)
				if times == 1 && fullMatrix() {
					t.Errorf("no run comes by %s", point)
				}
			}
		}
	})
}

// points are the places of a role; without the full matrix only those that the one run of
// TestProcessesDieBetweenTwoStores cannot meet.
func (in installation) points(role string) []string {
	switch {
	case !fullMatrix() && role == "coordinator":
		return []string{"split.done"}
	case !fullMatrix():
		return nil
	case role == "worker":
		return workerPoints
	default:
		return append(append(append([]string{}, splitPoints...), "split.done"), finishPoints...)
	}
}

// crash has a process die the k-th time that it comes by a place in a run of its own, with a table of its own, and checks the
// run. It says whether the process died.
func (in installation) crash(t *testing.T, role, point string, k int) bool {
	t.Helper()
	in.want.importer.Slug = fmt.Sprintf("products_%s_%d", role, k)
	in.want.importer.Table = fmt.Sprintf("t%d_%x", k, point)
	in.Write("importers/"+in.want.importer.Slug+".yaml", in.want.importer.YAML())
	other := map[string]string{"coordinator": "worker", "worker": "coordinator"}[role]
	dying := in.at(role, point, k, "sigkill")
	living := in.Start(other)
	rig.Until(t, patience, "both announcing themselves", func() bool {
		return in.announces(living) && (dying.Ended() || in.announces(dying))
	})
	id := in.Begin(in.want.importer.Slug)
	rig.Until(t, patience, "the run's end or a death", func() bool { return dying.Ended() || in.Status(id).Terminal() })
	// A place behind the end of the run is met a moment later.
	rig.Until(t, patience, "Redis letting go of the run or a death", func() bool { return dying.Ended() || in.released() })
	died := dying.Ended()
	if died {
		dying = in.Start(role)
	}
	in.proven(t, id)
	for _, p := range []*rig.Process{dying, living} {
		if code := p.Term(); code != 0 {
			t.Errorf("%s %s %d: a process ended with %d", role, point, k, code)
		}
	}
	return died
}

// announces says whether a process, and not one before it, has announced itself.
func (in installation) announces(p *rig.Process) bool {
	return strings.Contains(in.CLI("workers", "--output", "yaml").Stdout, "pid: "+strconv.Itoa(p.PID()))
}

// released says whether no run is active in Redis.
func (in installation) released() bool {
	return in.redis.Command("ZRANGE", in.Namespace()+":active", "0", "-1") == ""
}
