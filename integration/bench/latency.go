package bench

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"time"

	"ingest/integration/reference"
	"ingest/integration/rig"
	"ingest/shared/lifecycle"
)

// fewRows are those of a small import.
const fewRows = 100

// percentile of durations, in milliseconds.
func percentile(of []time.Duration, percent int) float64 {
	of = slices.Sorted(slices.Values(of))
	return float64(of[min(len(of)-1, len(of)*percent/100)].Microseconds()) / 1000
}

// small are imports of 100 rows, of which a person waits for each.
func small(b *Bench) {
	const name, times = "small/latency", 50
	db := b.postgres()
	s := b.stand(setup{store: db, importers: map[string]string{"update": productsImporter("", "update")}})
	db.empty()
	path := b.products(fewRows)
	s.Write("products.csv", reference.Products{Seed: seed, Rows: fewRows}.Text())
	api := s.coordinator.API()
	took := map[string][]time.Duration{}
	const run, rest = "ingest run --wait", "request to completed, by REST"
	ways := []struct {
		name string
		once func() time.Duration
	}{
		{run, func() time.Duration {
			whole := timed(s.imports("update", path))()
			seconds, err := strconv.ParseFloat(db.ask("SELECT extract(epoch FROM completed_at - created_at) FROM ingest_runs ORDER BY id DESC LIMIT 1"), 64)
			if err != nil {
				b.Fatal(err)
			}
			const part = run + ", of which from the run's creation to completed"
			took[part] = append(took[part], time.Duration(seconds*float64(time.Second)))
			return whole
		}},
		{"psql staged upsert", timed(db.does(stageProducts(path)...))},
		// The time at which the run became completed is that of the same clock: asking for it may take a little longer.
		{rest, func() time.Duration {
			began := time.Now()
			id := api.Post(rig.Base+"/trigger/update", "{}").Must(b, http.StatusAccepted).Run(b).ID
			api.Await(id, time.Minute)
			return ended(b, api, id).Sub(began)
		}},
	}
	for range times {
		for _, way := range ways {
			db.must("DELETE FROM products") // a TRUNCATE would have the next commits wait for what the file system does about it
			took[way.name] = append(took[way.name], way.once())
		}
	}
	for way, of := range took {
		b.note(name, way+", median ms", percentile(of, 50))
		b.note(name, way+", p95 ms", percentile(of, 95))
	}
}

func timed(run func()) func() time.Duration {
	return func() time.Duration {
		began := time.Now()
		run()
		return time.Since(began)
	}
}

// ended is when a run became terminal.
func ended(b *Bench, api *rig.API, id int64) time.Time {
	b.Helper()
	var body struct {
		Data struct {
			CompletedAt time.Time `json:"completed_at"`
		} `json:"data"`
	}
	api.Get(fmt.Sprintf("%s/%d?rows=0", rig.Base, id)).Must(b, http.StatusOK).Decode(b, &body)
	return body.Data.CompletedAt
}

// status is how long the API takes to show a run while it goes.
func status(b *Bench) {
	const name = "api/status"
	db := b.postgres()
	s := b.stand(setup{store: db, importers: map[string]string{"update": productsImporter("", "update")}})
	api, redis := s.coordinator.API(), dial(b, s.redis.Addr())
	for _, of := range []struct {
		name string
		rows int
		bad  float64
	}{
		{"no failed rows", b.usual(), 0},
		{"10 % of the rows fail", b.usual(), 0.1},
		{"a tenth of the rows, none fails", b.usual() / 10, 0},
	} {
		db.empty()
		path := b.productsFile(reference.Products{Seed: seed, Rows: of.rows, Bad: of.bad})
		id := s.Begin("update", "--file", path)
		at := fmt.Sprintf("%s/%d?rows=0", rig.Base, id)
		var took, bare []time.Duration
		rest := func() {
			if err := lifecycle.Wait(b.Context(), 2*time.Millisecond, nil); err != nil {
				b.Fatal(err)
			}
		}
		for over := false; !over; {
			began := time.Now()
			answer := api.Get(at).Must(b, http.StatusOK)
			took = append(took, time.Since(began))
			over = answer.Run(b).Terminal()
			rest()
			bare = append(bare, redis.ping())
			rest() // so that the answer to PING has not just woken who is asked next
		}
		b.note(name, of.name+", looks", float64(len(took)))
		b.note(name, of.name+", median ms", percentile(took, 50))
		b.note(name, of.name+", p99 ms", percentile(took, 99))
		b.note(name, of.name+", a bare PING of Redis between the looks, p99 ms", percentile(bare, 99))
	}
}

// wire is a connection to Redis without a client library.
type wire struct {
	b       *Bench
	conn    net.Conn
	answers *bufio.Reader
}

func dial(b *Bench, address string) wire {
	b.Helper()
	conn, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return wire{b, conn, bufio.NewReader(conn)}
}

// ping is how long the least takes that two processes can ask each other.
func (w wire) ping() time.Duration {
	w.b.Helper()
	began := time.Now()
	if _, err := io.WriteString(w.conn, "PING\r\n"); err != nil {
		w.b.Fatal(err)
	}
	if answer, err := w.answers.ReadString('\n'); err != nil || answer != "+PONG\r\n" {
		w.b.Fatalf("Redis answers %q to PING: %v", answer, err)
	}
	return time.Since(began)
}

// behind is a small import that comes while the greatest one goes.
func behind(b *Bench) {
	const name = "small/behind"
	db := b.postgres()
	s := b.stand(setup{store: db, importers: map[string]string{
		"update": productsImporter("", "update"), "small": strings.Replace(productsImporter("", "update"), "table: products", "table: few", 1),
	}})
	db.empty()
	db.must("CREATE TABLE few (LIKE products INCLUDING ALL)")
	great := s.Begin("update", "--file", b.products(b.largest()))
	rig.Until(b, time.Minute, "the great import going", func() bool { return s.Status(great).Progress.Processed > 0 })
	var took []time.Duration
	for range 5 {
		took = append(took, timed(s.imports("small", b.products(fewRows)))())
	}
	if s.Status(great).Terminal() {
		b.note(name, "the great import was over, so that this shows nothing; rows", float64(b.largest()))
		return
	}
	b.note(name, "rows of the great import", float64(b.largest()))
	b.note(name, "median of five, s", percentile(took, 50)/1000)
	b.note(name, "first of five, s", took[0].Seconds())
	b.note(name, "slowest of five, s", percentile(took, 100)/1000)
	s.Must(0, "cancel", strconv.FormatInt(great, 10), "--wait")
}

// scaling is a destination that takes 20 ms for every chunk, as a webhook that somebody else answers does. Every worker has the
// same number of rows to do, so that the beginning and the end of an import weigh the same for one worker and for sixteen.
func scaling(b *Bench) {
	const name, chunk, answer = "scaling/webhook", 100, 20 * time.Millisecond
	hook := receiver(b, answer)
	each := min(b.usual()/10, 100_000)
	db := b.postgres()
	speeds := map[int]float64{}
	for _, workers := range []int{1, 4, 16} {
		rows := each * workers
		s := b.stand(setup{
			store: db, workers: workers, env: []string{"INGEST_SLOTS=1", "INGEST_CONNECTIONS_HOOK_URL=webhook+http://" + hook + "/rows?secret=s"},
			importers: map[string]string{"hook": productsImporter("hook", "update") + fmt.Sprintf("chunk_size: %d\npartitions: 64\n", chunk)},
		})
		sample := b.measure(s.watched, s.imports("hook", b.products(rows)))
		speeds[workers] = float64(rows) / sample.Seconds
		b.note(name, fmt.Sprintf("%02d workers, rows/s", workers), speeds[workers])
		for process, seconds := range sample.CPU {
			b.note(name, fmt.Sprintf("%02d workers, CPU ms per chunk: %s", workers, process), seconds*1000*chunk/float64(rows))
		}
		s.end()
	}
	b.note(name, "16 workers beside one", speeds[16]/speeds[1])
}

// memory is what the processes need for a file, from their start on.
func memory(b *Bench) {
	const name = "memory/postgres"
	db := b.postgres()
	most := map[string]map[int]float64{"coordinator": {}, "worker": {}, "redis": {}}
	for _, rows := range []int{b.usual(), b.largest()} {
		s := b.stand(setup{store: db, importers: map[string]string{"update": productsImporter("", "update")}})
		db.empty()
		s.imports("update", b.products(rows))()
		for process, by := range most {
			for _, pid := range s.watched[process] {
				by[rows] = peak(b, pid)
			}
			b.note(name, fmt.Sprintf("%s at %s rows, MiB", process, thousands(rows)), by[rows])
		}
		s.end()
	}
	if b.usual() == b.largest() {
		return
	}
	for process, by := range most {
		b.note(name, process+", growth in %", max(0, by[b.largest()]/by[b.usual()]-1)*100)
	}
}

// receiver answers every request after a while. It returns its address.
func receiver(b *Bench, after time.Duration) string {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // what comes is of no interest
		if lifecycle.Wait(r.Context(), after, nil) != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	b.Cleanup(server.Close)
	return server.Listener.Addr().String()
}
