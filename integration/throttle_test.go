package integration

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"ingest/integration/rig"
)

// counted is a file of so many rows, each with a number of its own from first on.
func counted(first, rows int) string {
	var b strings.Builder
	b.WriteString("n,name\n")
	for n := first; n < first+rows; n++ {
		fmt.Fprintf(&b, "%d,name %d\n", n, n)
	}
	return b.String()
}

const countedImporter = `importer: %[1]s
source: {path: %[1]s.csv}
destination: {table: %[1]s, create_table: true}
key: [n]
fields:
  - {from: n, to: n, type: integer}
  - {from: name, to: name}
%[2]s`

// took is when a run was worked on, as it says itself.
func took(t *testing.T, s *rig.System, id int64) (from, to time.Time) {
	t.Helper()
	var told struct {
		Data struct {
			StartedAt   time.Time `json:"started_at"`
			CompletedAt time.Time `json:"completed_at"`
		}
	}
	if err := json.Unmarshal([]byte(s.Must(0, "status", fmt.Sprint(id), "--output", "json")), &told); err != nil {
		t.Fatal(err)
	}
	return told.Data.StartedAt, told.Data.CompletedAt
}

// TestRowsASecondAreBoundedOverAllWorkers: two runs of an importer at once, in several partitions, by two workers, one of
// which is killed, and with a Redis that loses the bucket once: never faster than one bucket allows.
func TestRowsASecondAreBoundedOverAllWorkers(t *testing.T) {
	t.Parallel()
	const rows, chunk, rate = 120, 10, 60
	redis := rig.StartRedis(t, rig.RedisOptions{})
	s := rig.NewSystem(t, rig.SystemOptions{
		RedisURL: redis.URL(), Env: []string{fmt.Sprintf("INGEST_CHUNK_SIZE=%d", chunk), "INGEST_SLOTS=3"},
		Importers: map[string]string{"slow.yaml": fmt.Sprintf(countedImporter, "slow", "partitions: 4\n"+fmt.Sprintf("max_rows_per_second: %d\n", rate))},
	})
	s.Write("slow.csv", counted(0, rows))
	s.Write("more.csv", counted(rows, rows))
	s.Migrate()
	s.Coordinator()
	doomed := s.Worker()
	s.Worker()
	first, second := s.Begin("slow"), s.Begin("slow", "--file", "more.csv")
	rig.Until(t, patience, "progress", func() bool { return s.Status(first).Progress.Processed > 0 })
	doomed.Kill9()
	redis.Command("DEL", s.Namespace()+":throttle:{slow}")
	var began, ended time.Time
	for _, id := range []int64{first, second} {
		if r := s.Await(id, patience); r.Status != "completed" || r.Created != rows {
			t.Fatalf("run %d: %+v", id, r)
		}
		from, to := took(t, s, id)
		if began.IsZero() || from.Before(began) {
			began = from
		}
		if to.After(ended) {
			ended = to
		}
	}
	// The last chunk begins when what began before it is paid for; the lost bucket forgave one chunk.
	if least := time.Duration(2*rows-3*chunk) * time.Second / rate; ended.Sub(began) < least {
		t.Errorf("%d rows in %v, which allows %v at %d a second", 2*rows, ended.Sub(began), least, rate)
	}
	if got := len(rig.Query(t, s.Database(), "SELECT n FROM slow")); got != 2*rows {
		t.Errorf("%d rows in the table", got)
	}
	s.Check(first)
	s.Check(second)
}

// TestARunThatWaitsForItsRateBlocksNobody: with the only slot free for others, with a debt of hours; status says why, the
// worker ends when it is asked to, the run can be cancelled, and a chunk size above the rate is no obstacle.
func TestARunThatWaitsForItsRateBlocksNobody(t *testing.T) {
	t.Parallel()
	s := rig.NewSystem(t, rig.SystemOptions{
		RedisURL: rig.StartRedis(t, rig.RedisOptions{}).URL(), Env: []string{"INGEST_CHUNK_SIZE=1000", "INGEST_SLOTS=1"},
		Importers: map[string]string{
			"slow.yaml": fmt.Sprintf(countedImporter, "slow", "partitions: 2\nmax_rows_per_second: 1\n"),
			"free.yaml": fmt.Sprintf(countedImporter, "free", ""),
		},
	})
	s.Write("slow.csv", counted(0, 5000))
	s.Write("free.csv", counted(0, 3000))
	s.Migrate()
	s.Coordinator()
	worker := s.Worker()
	slow := s.Begin("slow")
	const why = "Waiting: the rate of the importer is reached (max_rows_per_second: 1)."
	rig.Until(t, patience, "the status saying what it waits for", func() bool { return text(s.Status(slow).WaitingFor) == why })
	if shown := s.Must(0, "status", fmt.Sprint(slow)); !strings.Contains(shown, why) {
		t.Errorf("status says:\n%s", shown)
	}
	if r := s.Await(s.Begin("free"), patience); r.Status != "completed" || r.Created != 3000 {
		t.Errorf("the other run: %+v", r)
	}
	if r := s.Status(slow); r.Terminal() || r.Progress.Processed != 1000 {
		t.Errorf("the slow run: %+v", r)
	}
	if code := worker.Term(); code != 0 {
		t.Errorf("the worker ended with %d", code)
	}
	s.Worker()
	s.Must(0, "cancel", fmt.Sprint(slow), "--wait")
	if r := s.Status(slow); r.Status != "cancelled" || r.Created != 1000 || r.NotProcessed != r.Progress.Total-1000 {
		t.Errorf("the slow run: %+v", r)
	}
	s.Check(slow)
}

// TestARateHoldsWithoutRedis: the embedded server keeps the bucket, too.
func TestARateHoldsWithoutRedis(t *testing.T) {
	t.Parallel()
	s := rig.NewSystem(t, rig.SystemOptions{
		Env:       []string{"INGEST_CHUNK_SIZE=10"},
		Importers: map[string]string{"slow.yaml": fmt.Sprintf(countedImporter, "slow", "max_rows_per_second: 40\n")},
	})
	s.Write("slow.csv", counted(0, 70))
	s.Must(0, "run", "slow")
	from, to := took(t, s, 1)
	if least, is := 60*time.Second/40, to.Sub(from); is < least {
		t.Errorf("70 rows in %v, which allows %v", is, least)
	}
	s.Check(1)
}

// TestMaxParallelBoundsThePartitions of a file that is large enough for more. SQLite, which has one writer, has two at most.
func TestMaxParallelBoundsThePartitions(t *testing.T) {
	t.Parallel()
	into := func(connection, slug, more string) string {
		text := fmt.Sprintf(countedImporter, slug, more)
		return strings.Replace(text, "{table: "+slug+", create_table: true}", "{table: "+slug+", connection: "+connection+"}", 1)
	}
	s := rig.NewSystem(t, rig.SystemOptions{
		Env: []string{"INGEST_CONNECTIONS_NONE_URL=discard:"},
		Importers: map[string]string{
			"free.yaml": into("none", "free", ""),
			"two.yaml":  into("none", "two", "max_parallel: 2\n"),
			"many.yaml": into("none", "many", "max_parallel: 200\n"),
			"file.yaml": into("default", "file", ""),
			"one.yaml":  into("default", "one", "max_parallel: 1\n"),
		},
	})
	var lines strings.Builder
	lines.WriteString("n,name\n")
	for n := range 1300 {
		fmt.Fprintf(&lines, "%d,%s\n", n, strings.Repeat("x", 10_000))
	}
	large := s.Write("large.csv", lines.String())
	for slug, partitions := range map[string]string{"free": "4", "two": "2", "many": "4", "file": "2", "one": "1"} {
		s.Must(0, "run", slug, "--file", large)
		got := rig.Query(t, s.Database(), "SELECT COUNT(*) AS heads FROM ingest_partitions AS p JOIN ingest_runs AS r ON r.uid = p.uid WHERE r.importer = '"+slug+"'")
		if got[0] != partitions {
			t.Errorf("%s: %s partitions, want %s", slug, got[0], partitions)
		}
	}
	if got := len(rig.Query(t, s.Database(), "SELECT n FROM one")); got != 1300 {
		t.Errorf("%d rows in the table", got)
	}
}
