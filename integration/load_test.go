package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ingest/integration/reference"
	"ingest/integration/rig"
	"ingest/shared/lifecycle"
)

// roomy is an importer of users whose files have a column of no use, so that a file may be of any size with few rows.
var roomy = strings.Replace(users, "destination: {table: users,", "destination: {table: roomy,", 1)

// crowd is what comes at a server at once.
type crowd struct {
	uploads, size, pollers int
	// every is how long a poller waits between two looks.
	every time.Duration
}

// sized is a file of about that size with one row, different for every n.
func sized(n, size int) io.Reader {
	return io.MultiReader(strings.NewReader(fmt.Sprintf("name,email,junk\nu%d,u%d@example.org,", n%1000, n)),
		io.LimitReader(filler{}, int64(size)), strings.NewReader("\n"))
}

// filler is a text without end.
type filler struct{}

// Read implements io.Reader.
func (filler) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// come sends the uploads and polls the run 1 until ctx ends or during returns. It returns the ids of the runs that began.
func (c crowd) come(ctx context.Context, api *rig.API, during func() error) (ids []int64, looks int64, err error) {
	polling, stop := context.WithCancel(ctx)
	defer stop()
	var looked atomic.Int64
	pollers := lifecycle.NewTasks(polling)
	for range c.pollers {
		pollers.Go("poll", func(ctx context.Context) error {
			return lifecycle.Loop(ctx, c.every, nil, func(context.Context) error {
				answer, err := api.Try("GET", at(1, "?rows=0"), nil)
				if err == nil && answer.Status != http.StatusOK {
					err = fmt.Errorf("a look is answered %d: %s", answer.Status, answer.Body)
				}
				looked.Add(1)
				return err
			})
		})
	}
	uploads := lifecycle.NewTasks(ctx)
	ids = make([]int64, c.uploads)
	for n := range c.uploads {
		uploads.Go("upload", func(context.Context) error {
			answer, err := api.Try("POST", rig.Base+"/upload/users", sized(n, c.size), "Content-Type", "text/csv")
			if err != nil {
				return err
			}
			if _, err := fmt.Sscanf(answer.Header.Get("Location"), rig.Base+"/%d", &ids[n]); err != nil || answer.Status != http.StatusAccepted {
				return fmt.Errorf("an upload is answered %d: %s", answer.Status, answer.Body)
			}
			return nil
		})
	}
	err = errors.Join(during(), uploads.Wait())
	stop()
	return ids, looked.Load(), errors.Join(err, pollers.Wait())
}

// files are the open files of a process that are no sockets and no devices of the kernel.
func files(t *testing.T, p *rig.Process) []string {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", p.PID())
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var open []string
	for _, entry := range entries {
		to, err := os.Readlink(dir + "/" + entry.Name())
		if err == nil && strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "/dev/") {
			open = append(open, to)
		}
	}
	return open
}

// connected is how many connections the server of an address still holds.
func connected(t *testing.T, address string) int {
	t.Helper()
	_, port, _ := strings.Cut(address, ":")
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for line := range strings.Lines(string(table)) {
		const established, closeWait = "01", "08"
		columns := strings.Fields(line)
		if len(columns) > 3 && strings.HasSuffix(columns[1], fmt.Sprintf(":%04X", number)) && (columns[3] == established || columns[3] == closeWait) {
			held++
		}
	}
	return held
}

// loaded makes an installation that imports products and takes uploads.
func loaded(t testing.TB, rows int) (sys *rig.System, coordinator *rig.Process) {
	t.Helper()
	sys = rig.NewSystem(t, rig.SystemOptions{
		RedisURL: rig.StartRedis(t, rig.RedisOptions{AOF: true}).URL(), Database: rig.StartPostgres(t).Database("app"),
		Importers: map[string]string{"users.yaml": roomy, "products.yaml": reference.ProductsImporter("products.csv", "update").YAML()},
		Env:       []string{"INGEST_LEASE=15s", "INGEST_SWEEP=2s", "INGEST_MAX_UPLOAD=3GiB"},
	})
	sys.Write("products.csv", reference.Products{Seed: 1, Rows: rows}.Text())
	sys.Migrate()
	coordinator = sys.Coordinator()
	sys.Worker()
	return sys, coordinator
}

// TestUploadsAndPollersWhileARunGoes: 200 uploads of 1 MB and 1,000 pollers (`make load`; fewer in `make test`): every
// upload is one run, all complete, and nothing of them stays behind.
func TestUploadsAndPollersWhileARunGoes(t *testing.T) {
	t.Parallel()
	c, rows := crowd{uploads: 50, size: 100 << 10, pollers: 200, every: time.Second}, 30_000
	if fullMatrix() {
		c, rows = crowd{uploads: 200, size: 1 << 20, pollers: 1000, every: time.Second}, 300_000
	}
	sys, coordinator := loaded(t, rows)
	api := coordinator.API()
	before := len(files(t, coordinator))
	sys.Begin("products")
	ids, looks, err := c.come(t.Context(), api, func() error {
		if r := sys.Await(1, 4*patience); r.Status != "completed" || r.Created != int64(rows) {
			return fmt.Errorf("the import is %s with %d rows", r.Status, r.Created)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int64]bool{1: true}
	for _, id := range ids {
		if seen[id] {
			t.Errorf("run %d is the run of two uploads", id)
		}
		seen[id] = true
		if r := api.Await(id, 4*patience); r.Status != "completed" || r.Created != 1 {
			t.Errorf("run %d is %s with %d rows: %s", id, r.Status, r.Created, text(r.Reason))
		}
	}
	var list struct{ Meta struct{ Total int } }
	api.Get(rig.Base).Must(t, http.StatusOK).Decode(t, &list)
	if list.Meta.Total != c.uploads+1 || looks < int64(c.pollers) {
		t.Errorf("%d runs after %d uploads, %d looks", list.Meta.Total, c.uploads, looks)
	}
	if table := sys.Dump("roomy", "email"); len(table) != c.uploads {
		t.Errorf("%d rows of %d uploads", len(table), c.uploads)
	}
	if left := spooled(t, sys); len(left) > 0 {
		t.Errorf("left in the spool: %v", left)
	}
	api.Client.CloseIdleConnections()
	rig.Until(t, patience, "every connection being closed", func() bool { return connected(t, api.Address) == 0 })
	rig.Until(t, patience, "every file being closed", func() bool { return len(files(t, coordinator)) <= before })
	// The dump of a process that is quit shows every goroutine.
	coordinator.Signal(syscall.SIGQUIT)
	coordinator.Wait(patience)
	dump := coordinator.Output()
	if !strings.Contains(dump, "api.(*API).Run") { // which is there as long as the process
		t.Fatal("the process does not show its goroutines")
	}
	for _, stays := range []string{"net/http.(*conn).serve", "api.(*API).upload", "api.(*views).get"} {
		if n := strings.Count(dump, stays); n > 0 {
			t.Errorf("%d goroutines are still in %s", n, stays)
		}
	}
}

// TestABigUploadTakesLittleMemory: 2 GB (`make load`; 300 MB in `make test`) keep the coordinator below 200 MB.
func TestABigUploadTakesLittleMemory(t *testing.T) {
	t.Parallel()
	size := int64(300) << 20
	if fullMatrix() {
		size = 2 << 30
	}
	_, coordinator := loaded(t, 1)
	api := coordinator.API()
	// Rows of 64 KiB, most of which nobody imports.
	rows := size >> 16
	reader, writer := io.Pipe()
	tasks := lifecycle.NewTasks(t.Context())
	tasks.Go("send", func(context.Context) error {
		_, err := io.WriteString(writer, "name,email,junk\n")
		junk := strings.Repeat("x", 1<<16)
		for n := int64(0); n < rows && err == nil; n++ {
			_, err = fmt.Fprintf(writer, "u%d,u%d@example.org,%s\n", n%1000, n, junk)
		}
		return errors.Join(err, writer.CloseWithError(err))
	})
	request, err := api.Request("POST", rig.Base+"/upload/users", reader, "Content-Type", "text/csv")
	if err != nil {
		t.Fatal(err)
	}
	patient := *api
	patient.Client = &http.Client{Transport: api.Client.Transport} // the upload takes as long as it takes
	answer, err := patient.Send(request)
	if err = errors.Join(err, tasks.Wait()); err != nil {
		t.Fatal(err)
	}
	id := answer.Must(t, http.StatusAccepted).Run(t).ID
	uploaded := peak(t, coordinator)
	if r := api.Await(id, 8*patience); r.Status != "completed" || r.Created != rows {
		t.Errorf("the run is %s with %d rows: %s", r.Status, r.Created, text(r.Reason))
	}
	imported := peak(t, coordinator)
	t.Logf("%d MiB: %d MiB after the upload, %d MiB after the import", size>>20, uploaded>>20, imported>>20)
	if uploaded == 0 || uploaded > 200<<20 || imported > 200<<20 {
		t.Errorf("the coordinator took %d MiB for the upload, %d MiB in all", uploaded>>20, imported>>20)
	}
}

// BenchmarkImportUnderLoad tells how much of its speed an import keeps while 200 uploads of 1 MB come and 1,000 clients
// poll, all on the cores of the servers: a ratio of two imports, the same way whatever the machine. The import is long
// enough that the uploads are a part of it and not the other way round.
func BenchmarkImportUnderLoad(b *testing.B) {
	const rows = 2_000_000
	for b.Loop() {
		sys, coordinator := loaded(b, rows)
		api := coordinator.API()
		imported := func() time.Duration {
			began := time.Now()
			sys.Must(0, "run", "products", "--quiet")
			return time.Since(began)
		}
		imported() // the rows are there: from now on all imports do the same
		alone := imported()
		var crowded time.Duration
		_, _, err := crowd{uploads: 200, size: 1 << 20, pollers: 1000, every: time.Second}.come(b.Context(), api, func() error {
			crowded = imported()
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(rows/alone.Seconds(), "rows/s-alone")
		b.ReportMetric(rows/crowded.Seconds(), "rows/s-under-load")
		b.ReportMetric(alone.Seconds()/crowded.Seconds(), "speed-kept")
	}
}
