package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ingest/integration/rig"
)

// TestAPanicIsLoggedOnce for a chunk, without what it says, and costs only its rows, wherever they go.
func TestAPanicIsLoggedOnce(t *testing.T) {
	t.Parallel()
	sys := rig.NewSystem(t, rig.SystemOptions{
		RedisURL: rig.StartRedis(t, rig.RedisOptions{}).URL(), Binary: rig.Failing(t),
		Importers: map[string]string{
			"x.yaml": "importer: x\nsource: {path: x.csv}\ndestination: {table: x}\nkey: id\n" +
				"fields: [{from: id, to: id}, {from: name, to: name}]\n",
			"nowhere.yaml": "importer: nowhere\nsource: {path: x.csv}\ndestination: {connection: nowhere, table: x}\nkey: id\n" +
				"fields: [{from: id, to: id}, {from: name, to: name}]\n",
		},
		Env: []string{"INGEST_CONNECTIONS_NOWHERE_URL=discard:"},
	})
	sys.Write("x.csv", "id,name\n1,a\nsecret,PANIC\n3,PANIC\n4,b\n")
	sys.Migrate()
	sys.Coordinator()
	worker := sys.Worker()
	sys.Must(3, "run", "x")
	if r := sys.Status(1); r.Created != 2 || r.Progress.Failed != 2 {
		t.Errorf("%+v", r)
	}
	sys.Must(3, "run", "nowhere")
	log := worker.Output()
	if strings.Count(log, "the pipeline has a bug") != 2 || !strings.Contains(log, "failpoint") || strings.Contains(log, "secret") {
		t.Errorf("the log:\n%s", log)
	}
}

// TestARowThatKillsItsWorker: the chunk is isolated to its rows, the rows that end every worker fail, the others take
// effect once.
func TestARowThatKillsItsWorker(t *testing.T) {
	t.Parallel()
	sys := rig.NewSystem(t, rig.SystemOptions{
		RedisURL: rig.StartRedis(t, rig.RedisOptions{}).URL(), Binary: rig.Failing(t),
		Importers: map[string]string{"x.yaml": `importer: x
source: {path: x.csv}
destination: {table: x}
key: id
on_duplicate: update
chunk_size: 50
rules:
  id: required
fields:
  - {from: id, to: id}
  - {from: name, to: name}
`},
	})
	var file strings.Builder
	file.WriteString("id,name\n")
	want := []string{}
	for i := 1; i <= 200; i++ {
		name := fmt.Sprint("name ", i)
		switch i {
		case 70, 90: // in one chunk
			name = "KILL"
		case 71:
			want = append(want, "id=again\tname=name 71")
			fmt.Fprintln(&file, "again,before") // the same key twice around a dying row
			continue
		case 91:
			fmt.Fprintln(&file, "again,name 71")
			continue
		case 80:
			fmt.Fprintln(&file, ",no id")
			continue
		default:
			want = append(want, fmt.Sprintf("id=%d\tname=%s", i, name))
		}
		fmt.Fprintf(&file, "%d,%s\n", i, name)
	}
	sys.Write("x.csv", file.String())
	sys.Migrate()
	sys.Coordinator()
	id := sys.Begin("x")
	deaths := 0
	for !sys.Status(id).Terminal() {
		worker := sys.Worker()
		rig.Until(t, patience, "the worker's death or the run's end", func() bool { return worker.Ended() || sys.Status(id).Terminal() })
		if worker.Ended() {
			deaths++
		}
		if deaths > 20 {
			t.Fatalf("%d workers died and the run is not over", deaths)
		}
	}
	r := sys.Status(id)
	if r.Status != "completed_with_errors" || r.Created != 196 || r.Updated != 1 || r.Progress.Failed != 3 || deaths < 4 {
		t.Errorf("after %d deaths: %+v", deaths, r)
	}
	const message = "The row could not be processed (it ended the worker again and again)."
	numbers, messages := failedRows(t, sys, id)
	if !slices.Equal(numbers, []int64{70, 80, 90}) ||
		!slices.Equal(messages, []string{message, "The id field is required.", message}) {
		t.Errorf("the failed rows are %v: %v", numbers, messages)
	}
	slices.Sort(want)
	if got := sys.Dump("x", "id", "name"); !slices.Equal(want, got) {
		t.Errorf("the table: %s", firstDifference(want, got))
	}
	verify(t, sys, id)
}
