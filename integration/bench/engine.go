package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"ingest/integration/rig"
	"ingest/shared/lifecycle"
)

// discard runs products through everything but a destination: read, routed, handed out, checked, recorded.
func discard(b *Bench) {
	s := b.stand(setup{importers: map[string]string{"discard": productsImporter("none", "update")}, env: []string{"INGEST_CONNECTIONS_NONE_URL=discard:"}})
	for _, rows := range b.options.Sizes {
		b.race("engine/discard", rows, s.watched, nil, contender{name: created, run: s.imports("discard", b.products(rows))})
	}
}

// commands are what reaches Redis for each chunk, and what a split takes alone.
func commands(b *Bench) {
	s := b.stand(setup{importers: map[string]string{"discard": productsImporter("none", "update")}, env: []string{"INGEST_CONNECTIONS_NONE_URL=discard:"}})
	path := b.products(b.usual())
	var heard monitor
	ctx, end := context.WithCancel(b.Context())
	defer end()
	_, port, _ := strings.Cut(s.redis.Addr(), ":")
	listening := exec.CommandContext(ctx, "redis-cli", "-p", port, "MONITOR")
	listening.Stdout = &heard
	if err := listening.Start(); err != nil {
		b.Fatal(err)
	}
	rig.Until(b, time.Minute, "MONITOR", func() bool { return heard.lines() > 0 })
	before := heard.lines()
	s.imports("discard", path)()
	sent := heard.lines() - before
	end()
	_ = listening.Wait() // it was killed
	chunks, err := strconv.Atoi(rig.Query(b, s.Database(), "SELECT count(*) AS chunks FROM ingest_chunks")[0])
	if err != nil {
		b.Fatal(err)
	}
	b.note("engine/commands", "commands to Redis", float64(sent))
	b.note("engine/commands", "chunks", float64(chunks))
	b.note("engine/commands", "commands per chunk", float64(sent)/float64(chunks))
}

// monitor counts the commands that clients send; those that a script runs are marked as Lua's.
type monitor struct {
	mu    sync.Mutex
	count int
	rest  []byte
}

// Write implements io.Writer.
func (m *monitor) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rest = append(m.rest, p...)
	for {
		line, rest, whole := bytes.Cut(m.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		if address, _, _ := bytes.Cut(line, []byte("]")); !bytes.HasSuffix(address, []byte(" lua")) {
			m.count++
		}
		m.rest = bytes.Clone(rest)
	}
}

func (m *monitor) lines() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count
}

// overhead says what the ledger and Redis take of an import into PostgreSQL, and where all the time goes.
func overhead(b *Bench) {
	const name = "engine/overhead"
	db := b.postgres("-c", "shared_preload_libraries=pg_stat_statements", "-c", "pg_stat_statements.track_planning=on")
	db.must("CREATE EXTENSION pg_stat_statements")
	s := b.stand(setup{
		store: db, importers: map[string]string{"update": productsImporter("", "update")},
		env: []string{"INGEST_INTERNAL_LISTEN=127.0.0.1:0", "INGEST_PPROF=true"},
	})
	path := b.products(b.usual())
	db.empty()
	db.must("SELECT pg_stat_statements_reset()")
	coordinator, worker := s.coordinator.Monitor(), s.worker.Monitor()
	profiles := map[string]string{"coordinator": filepath.Join(b.TempDir(), "coordinator"), "worker": filepath.Join(b.TempDir(), "worker")}
	// Profiles last for about as long as the import: what is idle has no samples.
	span := max(1, b.usual()/150_000)
	tasks := lifecycle.NewTasks(b.Context())
	for role, address := range map[string]string{"coordinator": coordinator, "worker": worker} {
		tasks.Go("profile "+role, func(context.Context) error {
			_, err := run(b, "", "curl", "--silent", "--fail", "-o", profiles[role], fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", address, span))
			return err
		})
	}
	sample := b.measure(s.watched, s.imports("update", path))
	if err := tasks.Wait(); err != nil {
		b.Fatal(err)
	}
	ledger, err := strconv.ParseFloat(db.ask(`SELECT coalesce(sum(total_exec_time + total_plan_time), 0) / 1000 FROM pg_stat_statements
		WHERE query LIKE '%ingest\_partitions%' OR query LIKE '%ingest\_chunks%'`), 64)
	if err != nil {
		b.Fatal(err)
	}
	all := sample.CPU.total()
	books := "ingest/shared/(ledger|redisstore)\\."
	ours := 0.0
	var text strings.Builder
	for _, role := range []string{"coordinator", "worker"} {
		share, top := b.profile(profiles[role], books)
		ours += share * sample.CPU[role]
		fmt.Fprintf(&text, "%s, %.2f CPU s, %.1f %% of it in the ledger and Redis:\n%s\n", role, sample.CPU[role], share*100, top)
	}
	b.report.Profiles[name] = text.String()
	b.note(name, "CPU s of the import, all processes", all)
	b.note(name, "CPU s of Redis", sample.CPU["redis"])
	b.note(name, "s of the ledger's statements in PostgreSQL", ledger)
	b.note(name, "CPU s of coordinator and worker in ledger and Redis", ours)
	b.note(name, "ledger and Redis, % of the import", (sample.CPU["redis"]+ledger+ours)/all*100)
}

var share = regexp.MustCompile(`accounting for [^,]+, ([0-9.]+)%`)

// profile is the share of samples within the functions that focus names, and the text of the greatest ones.
func (b *Bench) profile(path, focus string) (of float64, top string) {
	b.Helper()
	show := func(flags ...string) string {
		text, err := run(b, "", "go", append(append([]string{"tool", "pprof", "-top"}, flags...), rig.Binary(b), path)...)
		if err != nil {
			b.Fatal(err)
		}
		return text
	}
	if found := share.FindStringSubmatch(show("-nodefraction=0", "-focus="+focus)); found != nil {
		percent, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			b.Fatal(err)
		}
		of = percent / 100
	}
	_, top, _ = strings.Cut(show("-cum", "-nodecount=25", "-focus=ingest/"), "\n      flat")
	return of, "      flat" + top
}

// micro runs micro-benchmarks that have a bound.
func micro(b *Bench) {
	root, err := rig.Root()
	if err != nil {
		b.Fatal(err)
	}
	command := exec.CommandContext(b.Context(), "go", "test", "-run", "^$", "-bench", "Split", "-benchtime", "2s", "./coordinator/internal/split")
	command.Dir, command.Env = root, os.Environ()
	output, err := command.CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, output)
	}
	for _, found := range regexp.MustCompile(`Benchmark(\S+?)(?:-\d+)?\s+\d+\s.*?([0-9.]+) MB/s`).FindAllStringSubmatch(string(output), -1) {
		speed, err := strconv.ParseFloat(found[2], 64)
		if err != nil {
			b.Fatal(err)
		}
		b.note("engine/micro", strings.TrimPrefix(found[1], "Split/")+", MB/s", speed)
	}
}
