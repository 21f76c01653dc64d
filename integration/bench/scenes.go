package bench

// scene is something that is measured with servers of its own, which end with it.
type scene struct {
	name string
	// title and about are for the page.
	title, about string
	// beside is the contender that the others are compared with.
	beside  string
	measure func(b *Bench)
}

// scenes lists what is measured, in the order of the page.
func scenes() []scene {
	return []scene{
		{
			"products/postgres", "Products into PostgreSQL",
			"Six columns, a unique index on `sku`, an index on `category`; rules on three columns. `fsync` is on, `shared_buffers` 512 MB.",
			staged, productsPostgres,
		},
		{
			"products/mariadb", "Products into MariaDB",
			"The same table. `innodb_flush_log_at_trx_commit` is 1, the buffer pool 512 MB.", loaded, productsMariaDB,
		},
		{
			"products/sqlite", "Products into SQLite",
			"The same table without `id`, in the file that is the installation's registry, too. All processes share it.", imported, productsSQLite,
		},
		{
			"relational/postgres", "Products with related rows",
			"The category is looked up in another table (200 rows), one to three tags (of 1,000) are rows of a pivot table; both are made if they are " +
				"missing, and foreign keys watch. By hand these are six statements.", staged, relational,
		},
		{
			"wide/postgres", "A wide table",
			"60 columns: texts, integers and decimals in turn. A fifth of the rows of the others.", staged, wide,
		},
		{
			"navaids/postgres", "Real data",
			"`configs/demo/data/navaids.csv` a hundred times, with ids of their own: 20 columns, many of them empty.", staged, navaids,
		},
		{
			"refused/postgres", "Bad rows, PostgreSQL",
			"The same import of products with rows that break a rule, and into tables that refuse the rows whose stock is 9,900 and more; the targets compare those with the same tables where they refuse nothing.", clean, refusedPostgres,
		},
		{"refused/mariadb", "Bad rows, MariaDB", "The same.", clean, refusedMariaDB},
		{"refused/sqlite", "Bad rows, SQLite", "The same.", clean, refusedSQLite},
		{
			"engine/discard", "The engine alone",
			"Products into the destination `discard`, with rules on three columns: read, split, routed, encoded, through Redis, decoded, checked, recorded in a " +
				"ledger in SQLite. One worker process.", "", discard,
		},
		{
			"engine/commands", "Commands to Redis",
			"What coordinator and worker send while products go into PostgreSQL, and into `discard`, where slots wait for the splitter and partitions change hands with every " +
				"chunk. Counted on their way; what scripts do inside Redis is none. Heartbeats and sweeps are among them.", "", commands,
		},
		{
			"engine/overhead", "Ledger and Redis",
			"One import of products into PostgreSQL: the CPU seconds of Redis, the time of the ledger's statements by `pg_stat_statements` (waiting included), and the share of " +
				"coordinator's and worker's profiles within the packages `ledger` and `redisstore`.", "", overhead,
		},
		{
			"engine/micro", "Splitter", "Micro-benchmarks of `coordinator/internal/split`: products in memory are read, routed, cut into chunks and encoded, on one core.",
			"", micro,
		},
		{
			"small/latency", "Small imports", "100 rows into PostgreSQL, 50 times, against running servers. By REST it is the time from the request to the run's `completed_at`.",
			"", small,
		},
		{"small/behind", "A small import behind a great one", "100 rows by `ingest run` while the greatest file goes, five times.", "", behind},
		{
			"api/status", "Looking at a run", "`GET /{id}?rows=0` by one client every 2 ms, from the beginning of an import into PostgreSQL to its end.", "", status,
		},
		{"scaling/webhook", "Workers", "A webhook that answers after 20 ms; chunks of 100 rows, 64 partitions, one slot for each worker process; 100,000 rows for each of them.", "", scaling},
		{"memory/postgres", "Memory", "The greatest resident size of processes that were started for this one import into PostgreSQL.", "", memory},
	}
}
