package bench

import (
	"fmt"
	"slices"
)

// originalSpeed is what the original published for its products file, in rows per second.
const originalSpeed = 804

// streamProcessor is the speed of a Go stream processor beside a psql staged upsert on the same machine: 37,000 rows/s
// where that did 86,000. It is not run again.
const streamProcessor = 37.0 / 86.0

// busyCores limits answers while an import runs.
const busyCores = "The wait for a processor. In a `perf sched` record of such an import Redis waits 0.5 ms for a core on average and up to 8, coordinator up to 11 and client up to 9, while " +
	"PostgreSQL, worker and splitter keep both busy; in a trace of the coordinator its own scheduler delays all the answers of three seconds by 5 ms together. A bare PING of Redis beside it " +
	"(see below), two waits instead of four, takes about as long as the whole target (with a tenth of the rows there are too few looks for a percentile: it is the slowest one); so does `/healthz`, which asks nobody. Higher priorities (nice -10) and shorter slices for coordinator, Redis and client changed nothing. Half of the answers take less " +
	"than half a millisecond, and none waits for a look at the database."

// peaks limits what is the greatest of a long time.
const peaks = "The peak: it is the greatest size at any moment, which in ten times the time meets a fuller heap between two collections (in a profile of all allocations four fifths are the chunks of " +
	"the partitions, which are used again and again, and nothing is kept by row or chunk)."

// copying limits what is compared with psql in PostgreSQL.
const copying = "COPY itself. In `pg_stat_statements` one for each chunk is all that the import does there, and together they cost more CPU than one \\copy of the same file (see the table): " +
	"the keys of a chunk lie between those of the other partitions, so that each row is searched for in the indexes (`_bt_compare` in `perf`), where a file in the order of its keys appends to them. " +
	"What two cores are worth then decides: see the two psql connections in the table. Rounds of one contender differ by a quarter within a run."

// secondCore limits what is compared with one session that writes a file straight into a table.
const secondCore = "The second core: one session has a core to itself, while the import's sessions share both with worker, splitter and Redis (see the CPU seconds of each in the table)."

// target is something the engine is held to.
type target struct {
	what string
	// atLeast or atMost is the bound; unit is what it is counted in.
	atLeast, atMost float64
	unit            string
	measured        func(r *Report) (float64, bool)
	// limits says what limits a target that is missed. It is written by hand, after a look at a profile.
	limits string
}

func (t target) met(value float64) bool {
	if t.atMost > 0 {
		return value <= t.atMost
	}
	return value >= t.atLeast
}

func (t target) want() string {
	if t.atMost > 0 {
		return "≤ " + t.show(t.atMost)
	}
	return "≥ " + t.show(t.atLeast)
}

func (t target) show(value float64) string {
	if t.unit == "×" {
		return fmt.Sprintf("%.2f ×", value)
	}
	return number(value) + " " + t.unit
}

// times measures how many times faster one contender of a scene is than another.
func times(scene, a, b string) func(*Report) (float64, bool) {
	return func(r *Report) (float64, bool) { return r.times(scene, a, b) }
}

// figure measures by a note of a scene.
func figure(scene, name string) func(*Report) (float64, bool) {
	return func(r *Report) (float64, bool) {
		value, has := r.Figures[scene+": "+name]
		return value, has
	}
}

// targets lists them, in the order of the page. All are about 1,000,000 rows unless they say otherwise.
func targets() []target {
	const postgres = "products/postgres"
	all := []target{
		{what: "PostgreSQL, update into an empty table, beside psql's staged upsert", atLeast: 1.4, unit: "×", measured: times(postgres, created, staged), limits: copying},
		{what: "the same, every row updated, beside psql doing it", atLeast: 1.1, unit: "×", measured: times(postgres, updated, again)},
		{what: "the same, every row unchanged, beside psql doing it", atLeast: 3, unit: "×", measured: times(postgres, unchanged, again)},
		{what: "skip into an empty table, beside a direct \\copy", atLeast: 0.8, unit: "×", measured: times(postgres, skipping, direct), limits: copying},
		{what: "fail into an empty table, beside a direct \\copy", atLeast: 0.8, unit: "×", measured: times(postgres, failing, direct), limits: copying},
		{what: "PostgreSQL, beside pgloader", atLeast: 5, unit: "×", measured: times(postgres, created, pgloader), limits: copying},
		{
			what: "PostgreSQL, beside a Go stream processor (by its ratio to psql's staged upsert)", atLeast: 3, unit: "×",
			measured: func(r *Report) (float64, bool) {
				beside, measured := r.times(postgres, created, staged)
				return beside / streamProcessor, measured
			},
		},
		{what: "MariaDB, update into an empty table, beside LOAD DATA", atLeast: 0.7, unit: "×", measured: times("products/mariadb", created, loaded), limits: secondCore},
		{
			what: "SQLite, update into an empty table, beside .import", atLeast: 0.8, unit: "×", measured: times("products/sqlite", created, imported),
			limits: "The driver: SQLite is translated to Go (`modernc.org/sqlite`, so that nothing but the binary is needed). There is one writer, so a second core does not help, and in a profile " +
				"of the worker (pprof) that writer is busy nine tenths of the time: three fifths of it are the steps of the translated SQLite (the rows and two indexes), a sixth each the binding of " +
				"parameters and the commits. Chunks of four and of ten times the rows, with as many fewer commits, are no faster. " +
				"To insert these rows with the driver and nothing around it takes as long as `.import` does with SQLite in C, or longer.",
		},
		{
			what: "the engine's own cost: destination discard, one worker process", atLeast: 600_000, unit: "rows/s",
			measured: func(r *Report) (float64, bool) {
				result, measured := r.of("engine/discard", created, r.Usual())
				if !measured {
					return 0, false
				}
				return result.Speed(), true
			},
			limits: "Of both cores' time in the table two thirds are the pipeline (rules and conversions), reading and routing; the worker spends a tenth on the hand-over to the " +
				"destination, a tenth decoding and a twentieth on the ledger, the coordinator a quarter of its part compressing. The rest is the start of the command and its last look.",
		},
		{
			what: "splitter: bytes to rows, one core (routing and encoding: see the table)", atLeast: 300, unit: "MB/s", measured: figure("engine/micro", "read, MB/s"),
			limits: "The noise of the machine: rounds differ by a third.",
		},
		{
			what: "ledger and Redis, of an import into PostgreSQL", atMost: 5, unit: "%", measured: figure("engine/overhead", "ledger and Redis, % of the import"),
			limits: "Copies of the chunks above all: of its three parts (see \"Ledger and Redis\") Redis is the greatest, and by `perf` a fifth of its time is Lua, which hashes every byte of a chunk when it is emitted; most of the rest are " +
				"copies of the same bytes, the kernel's among them. The part of coordinator and worker is a dozen samples of their profiles, so that it differs by a half; the ledger's statements are counted as PostgreSQL does, with the time in " +
				"which they wait for one of the two cores. Minutes before this run the same scene gave 4.9 %.",
		},
		{
			what: "commands to Redis, of an import into PostgreSQL", atMost: 6, unit: "per chunk", measured: figure("engine/commands", "PostgreSQL, commands per chunk"),
		},
		{
			what: "commands to Redis, of one into `discard`", atMost: 6, unit: "per chunk", measured: figure("engine/commands", "discard, commands per chunk"),
		},
		{
			what: "100 rows, `ingest run --wait`, median", atMost: 60, unit: "ms", measured: figure("small/latency", "ingest run --wait, median ms"),
			limits: "The program's own start (20 ms), and connecting to PostgreSQL and Redis; what comes behind the request are the next lines. `psql` needs nearly as long for its upsert.",
		},
		{
			what: "100 rows, `ingest run --wait`, from the creation of the run to `completed`, median", atMost: 60, unit: "ms",
			measured: figure("small/latency", "ingest run --wait, of which from the run's creation to completed, median ms"),
		},
		{
			what: "100 rows, from a REST request to `completed`, median", atMost: 60, unit: "ms",
			measured: figure("small/latency", "request to completed, by REST, median ms"),
		},
		{
			what: "status (`rows=0`) while an import runs, p99", atMost: 5, unit: "ms", measured: figure("api/status", "no failed rows, p99 ms"),
			limits: busyCores,
		},
		{
			what: "the same with 10 % failed rows", atMost: 5, unit: "ms", measured: figure("api/status", "10 % of the rows fail, p99 ms"),
			limits: busyCores,
		},
		{
			what: "memory of the coordinator with the greatest file, more than with 1,000,000 rows", atMost: 10, unit: "%",
			measured: figure("memory/postgres", "coordinator, growth in %"), limits: peaks,
		},
		{what: "memory of the worker, likewise", atMost: 10, unit: "%", measured: figure("memory/postgres", "worker, growth in %"), limits: peaks},
		{
			what: "memory of Redis with the greatest file", atMost: 100, unit: "MB",
			measured: func(r *Report) (float64, bool) {
				mib, measured := figure("memory/postgres", "redis at "+thousands(slices.Max(r.Sizes))+" rows, MiB")(r)
				return mib * (1 << 20) / 1e6, measured
			},
		},
		{
			what: "16 workers beside one, 20 ms per chunk", atLeast: 14, unit: "×", measured: figure("scaling/webhook", "16 workers beside one"),
			limits: "Both cores: a chunk of 100 rows costs about 2 CPU milliseconds (see the table; the receiver, which answers on the same cores, is not in it), and sixteen workers at full speed would need " +
				"four fifths of both, so that they wait for each other. In a profile of the whole machine (`perf`) half is the workers, a sixth PostgreSQL, a tenth Redis, a fifteenth the receiver; a quarter of the " +
				"workers' part are system calls, a tenth the Go scheduler, an eighth the encoding of the rows as JSON.",
		},
		{
			what: "100 rows behind the greatest import, slowest of five", atMost: 2, unit: "s", measured: figure("small/behind", "slowest of five, s"),
		},
	}
	return append(all, refusedTargets()...)
}
