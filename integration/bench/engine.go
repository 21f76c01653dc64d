package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	slashed "path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

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

// commands are what reaches Redis for each chunk, of an import that waits for its database and of one that waits for its splitter.
func commands(b *Bench) {
	b.commandsOf("PostgreSQL", "", b.postgres(), "")
	b.commandsOf("discard", "none", store{}, "INGEST_CONNECTIONS_NONE_URL=discard:")
}

func (b *Bench) commandsOf(title, connection string, db store, env string) {
	b.Helper()
	s := b.stand(setup{
		store: db, importers: map[string]string{"products": productsImporter(connection, "update")}, env: []string{env}, counted: true,
	})
	if db.url != "" {
		db.empty()
	}
	path := b.products(b.usual())
	before := s.relay.count.Load()
	// Who waits by looking at the run sends commands, too.
	s.Begin("products", "--file", path)
	rig.Until(b, longest, "the end of the run", func() bool {
		return rig.Query(b, s.Database(), "SELECT count(*) AS ended FROM ingest_runs WHERE completed_at IS NOT NULL")[0] == "1"
	})
	sent := s.relay.count.Load() - before
	chunks, err := strconv.Atoi(rig.Query(b, s.Database(), "SELECT count(*) AS chunks FROM ingest_chunks")[0])
	if err != nil {
		b.Fatal(err)
	}
	b.note("engine/commands", title+", commands to Redis", float64(sent))
	b.note("engine/commands", title+", chunks", float64(chunks))
	b.note("engine/commands", title+", commands per chunk", float64(sent)/float64(chunks))
}

// overhead says what the ledger and Redis take of an import into PostgreSQL, and where all the time goes. The fastest round counts.
func overhead(b *Bench) {
	const name = "engine/overhead"
	db := b.postgres("-c", "shared_preload_libraries=pg_stat_statements", "-c", "pg_stat_statements.track_planning=on")
	db.must("CREATE EXTENSION pg_stat_statements")
	s := b.stand(setup{
		store: db, importers: map[string]string{"update": productsImporter("", "update")},
		env: []string{"INGEST_INTERNAL_LISTEN=127.0.0.1:0", "INGEST_PPROF=true"},
	})
	path := b.products(b.usual())
	fastest := b.profiled(s, db, path)
	for range b.rounds(b.usual()) - 1 {
		if next := b.profiled(s, db, path); next.Seconds < fastest.Seconds {
			fastest = next
		}
	}
	ours := 0.0
	for role, profile := range fastest.profiles {
		share, packages := b.profile(profile)
		ours += share * fastest.CPU[role]
		b.report.Profiles[name+": "+role] = packages
	}
	all := fastest.CPU.total()
	b.note(name, "CPU s of the import, all processes", all)
	b.note(name, "CPU s of Redis", fastest.CPU["redis"])
	b.note(name, "s of the ledger's statements in PostgreSQL", fastest.ledger)
	b.note(name, "CPU s of coordinator and worker in ledger and Redis", ours)
	b.note(name, "ledger and Redis, % of the import", (fastest.CPU["redis"]+fastest.ledger+ours)/all*100)
}

// profiled is an import with its CPU profiles by role, and the seconds of the ledger's statements.
type profiled struct {
	Sample

	profiles map[string]string
	ledger   float64
}

// profiled imports a file into the emptied table.
func (b *Bench) profiled(s *stand, db store, path string) profiled {
	b.Helper()
	db.empty()
	db.must("SELECT pg_stat_statements_reset()")
	dir := b.TempDir()
	result := profiled{profiles: map[string]string{}}
	// Profiles last for about as long as the import: what is idle has no samples.
	span := max(1, b.usual()/150_000)
	tasks := lifecycle.NewTasks(b.Context())
	for role, process := range map[string]*rig.Process{"coordinator": s.coordinator, "worker": s.worker} {
		address, file := process.Monitor(), filepath.Join(dir, role)
		result.profiles[role] = file
		tasks.Go("profile "+role, func(context.Context) error {
			_, err := run(b, "", "curl", "--silent", "--fail", "-o", file, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", address, span))
			return err
		})
	}
	result.Sample = b.measure(s.watched, s.imports("update", path))
	if err := tasks.Wait(); err != nil {
		b.Fatal(err)
	}
	var err error
	result.ledger, err = strconv.ParseFloat(db.ask(`SELECT coalesce(sum(total_exec_time + total_plan_time), 0) / 1000 FROM pg_stat_statements
		WHERE query LIKE '%ingest\_partitions%' OR query LIKE '%ingest\_chunks%'`), 64)
	if err != nil {
		b.Fatal(err)
	}
	return result
}

var (
	within = regexp.MustCompile(`accounting for [^,]+, ([0-9.]+)%`)
	// sampled is a line of -top: flat, flat%, sum%, cum, cum% and the function.
	sampled = regexp.MustCompile(`(?m)^\s*\S+\s+([0-9.]+)%\s+\S+\s+\S+\s+\S+\s+(\S+)`)
)

// profile is the share of samples with the ledger or Redis on their stack, and the share of every package on its own.
func (b *Bench) profile(path string) (books float64, packages map[string]float64) {
	b.Helper()
	show := func(flags ...string) string {
		text, err := run(b, "", "go", append(append([]string{"tool", "pprof", "-top", "-nodefraction=0", "-nodecount=100000"}, flags...), rig.Binary(b), path)...)
		if err != nil {
			b.Fatal(err)
		}
		return text
	}
	percent := func(text string) float64 {
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			b.Fatal(err)
		}
		return value
	}
	if found := within.FindStringSubmatch(show(`-focus=ingest/shared/(ledger|redisstore)\.`)); found != nil {
		books = percent(found[1]) / 100
	}
	packages = map[string]float64{}
	for _, found := range sampled.FindAllStringSubmatch(show(), -1) {
		dir, function := slashed.Split(found[2])
		name, _, _ := strings.Cut(function, ".")
		packages[dir+name] += percent(found[1])
	}
	return books, packages
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
