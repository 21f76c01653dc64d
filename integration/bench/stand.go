package bench

import (
	"cmp"
	"fmt"
	"time"

	"ingest/integration/rig"
)

// longest is how long one import may take.
const longest = 2 * time.Hour

// stand is an installation with its servers: Redis, a coordinator and workers, all on the cores of the database.
type stand struct {
	*rig.System

	redis *rig.Redis
	// relay counts the commands to Redis, if they are to be counted.
	relay       *relay
	coordinator *rig.Process
	// worker is the first of them.
	worker  *rig.Process
	watched processes
	servers []*rig.Process
}

// setup says what a stand consists of.
type setup struct {
	// store is the connection `default`; the zero value is SQLite in the data directory.
	store store
	// importers are definitions by slug.
	importers map[string]string
	env       []string
	// workers is how many processes there are, 0 = one.
	workers int
	// counted says that commands to Redis are counted.
	counted bool
}

// composed are the settings that compose.yaml gives Redis beside the append-only file.
func composed() []string {
	return []string{"--rdbcompression", "no", "--auto-aof-rewrite-min-size", "512mb"}
}

// stand starts an installation. Everything is as by default, Redis as in compose.yaml.
func (b *Bench) stand(s setup) *stand {
	b.Helper()
	definitions := map[string]string{}
	for slug, text := range s.importers {
		definitions[slug+".yaml"] = "importer: " + slug + "\n" + text
	}
	redis := rig.StartRedis(b, rig.RedisOptions{AOF: true, Args: composed()})
	st, url := &stand{redis: redis}, redis.URL()
	if s.counted {
		st.relay = b.relay(redis.Addr())
		url = "redis://" + st.relay.address
	}
	st.System = rig.NewSystem(b, rig.SystemOptions{
		RedisURL: url, Database: s.store.url, Importers: definitions, Patience: longest,
		Env: append([]string{"INGEST_LEASE=15s", "INGEST_SWEEP=2s", "INGEST_SLOTS=0"}, s.env...),
	})
	st.Migrate()
	st.coordinator = st.Coordinator()
	st.servers = append(st.servers, st.coordinator)
	st.watched = processes{"redis": {redis.PID()}, "coordinator": {st.coordinator.PID()}}
	if s.store.pid != 0 {
		st.watched["database"] = []int{s.store.pid}
	}
	for range max(s.workers, 1) {
		worker := st.Worker()
		st.servers = append(st.servers, worker)
		st.watched["worker"] = append(st.watched["worker"], worker.PID())
		st.worker = cmp.Or(st.worker, worker)
	}
	return st
}

// end ends coordinator and workers where others come after them, for which the cores have to be free.
func (s *stand) end() {
	for _, server := range s.servers {
		server.Term()
	}
}

// imports runs an importer with a file and returns when the run is complete.
func (s *stand) imports(slug, path string) func() { return s.importsWith(completed, slug, path) }

// The exit codes of `ingest run`.
const (
	completed           = 0
	completedWithErrors = 3
)

func (s *stand) importsWith(code int, slug, path string) func() {
	return func() { s.Must(code, "run", slug, "--file", path, "--quiet") }
}

// productsImporter imports products with rules on three columns.
func productsImporter(connection, onDuplicate string) string {
	destination := "table: products, create_table: false"
	if connection != "" {
		destination = "connection: " + connection + ", " + destination
	}
	return fmt.Sprintf(`source: {path: products.csv}
destination: {%s}
key: SKU
on_duplicate: %s
fields:
  - {from: SKU, to: sku}
  - {from: Name, to: name}
  - {from: Description, to: description}
  - {from: Price, to: price, type: "decimal(10,2)"}
  - {from: Category, to: category}
  - {from: Stock, to: stock, type: integer}
rules:
  SKU: required|string
  Price: required|numeric|min:0
  Stock: required|integer|min:0
`, destination, onDuplicate)
}
