package rig_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/rig"
	"ingest/shared/database"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

func TestRedisKeepsWhatWasWrittenToTheAppendOnlyFile(t *testing.T) {
	t.Parallel()
	r := rig.StartRedis(t, rig.RedisOptions{AOF: true, Args: []string{"--appendfsync", "always"}})
	r.Command("SET", "a", "1")
	saved := r.Save()
	r.Command("SET", "b", "2")
	r.Restart()
	if a, b := r.Command("GET", "a"), r.Command("GET", "b"); a != "1" || b != "2" {
		t.Errorf("after a kill: a = %q, b = %q", a, b)
	}
	r.RestartFrom(saved)
	if a, b := r.Command("GET", "a"), r.Command("GET", "b"); a != "1" || b != "" {
		t.Errorf("after an older file was put back: a = %q, b = %q", a, b)
	}
	r.Lose()
	if size := r.Command("DBSIZE"); size != "0" {
		t.Errorf("a lost Redis has %s keys", size)
	}
}

func TestRedisWithoutFileForgets(t *testing.T) {
	t.Parallel()
	r := rig.StartRedis(t, rig.RedisOptions{})
	r.Command("SET", "a", "1")
	r.Restart()
	if a := r.Command("GET", "a"); a != "" {
		t.Errorf("a = %q", a)
	}
}

func TestProcessesArePausedAndGoOn(t *testing.T) {
	t.Parallel()
	r := rig.StartRedis(t, rig.RedisOptions{})
	state := func() string {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.PID()))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))[0]
	}
	r.Stop()
	rig.Until(t, 10*time.Second, "the server being stopped", func() bool { return state() == "T" })
	r.Cont()
	if answer := r.Command("PING"); answer != "PONG" {
		t.Errorf("after going on: %q", answer)
	}
	if code := r.Term(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if !r.Ended() {
		t.Error("a process that was waited for has not ended")
	}
}

func TestPostgresSurvivesAKillWithItsData(t *testing.T) {
	t.Parallel()
	p := rig.StartPostgres(t)
	p.Database("one")
	p.SQL("one", "CREATE TABLE t (a text, n int)")
	p.SQL("one", "INSERT INTO t VALUES ('x', 1), (NULL, 2)")
	for range 2 {
		p.Restart()
		if diff := cmp.Diff([]string{"x\t1", "\\N\t2"}, p.SQL("one", "SELECT a, n FROM t ORDER BY n")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	p.Stop()
	p.Cont()
	if got := p.SQL("one", "SELECT 1"); len(got) != 1 {
		t.Errorf("after going on: %q", got)
	}
}

func TestMariaDBSurvivesAKillWithItsData(t *testing.T) {
	t.Parallel()
	m := rig.StartMariaDB(t)
	m.Database("one")
	m.SQL("one", "CREATE TABLE t (a text, n int); INSERT INTO t VALUES ('x', 1), (NULL, 2)")
	m.Restart()
	if diff := cmp.Diff([]string{"x\t1", "NULL\t2"}, m.SQL("one", "SELECT a, n FROM t ORDER BY n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEveryTestHasItsOwnPostgres(t *testing.T) {
	t.Parallel()
	a, b := rig.StartPostgres(t), rig.StartPostgres(t)
	a.Database("only_a")
	if got := b.SQL("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'only_a'"); got[0] != "0" {
		t.Errorf("the other server has %s such databases", got[0])
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	t.Parallel()
	var pids []int
	// Not parallel: what it leaves behind when it has ended is looked at below.
	t.Run("a test with servers", func(t *testing.T) {
		redis, postgres := rig.StartRedis(t, rig.RedisOptions{}), rig.StartPostgres(t)
		postgres.Stop()
		pids = append(pids, redis.PID(), postgres.PID())
	})
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("process %d is still there", pid)
		}
	}
}

func TestDumpIsTheSameForAllDatabases(t *testing.T) {
	t.Parallel()
	const create = `CREATE TABLE things (id integer PRIMARY KEY, name text, price numeric(10,2), ratio double precision, stock integer)`
	const insert = `INSERT INTO things VALUES (7, 'b	c', 12.50, 52.55889892578125, 3), (9, '02', 3, 0.00001, NULL), (8, NULL, NULL, -0.5, -1)`
	want := []string{
		`name=02	price=3	ratio=0.00001	stock=\N`,
		`name=\N	price=\N	ratio=-0.5	stock=-1`,
		`name=b\tc	price=12.5	ratio=52.55889892578125	stock=3`,
	}
	urls := map[string]string{
		"sqlite":   "sqlite:" + filepath.Join(t.TempDir(), "things.db"),
		"postgres": rig.StartPostgres(t).Database("things"),
		"mariadb":  rig.StartMariaDB(t).Database("things"),
	}
	for name, url := range urls {
		db, err := database.Open(database.Config{Name: name, URL: url})
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{create, insert} {
			if _, err := db.Exec(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if diff := cmp.Diff(want, rig.Dump(t, url, "things")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff([]string{"stock=-1", "stock=3", `stock=\N`}, rig.Dump(t, url, "things", "stock")); diff != "" {
			t.Errorf("%s, one column (-want +got):\n%s", name, diff)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}
