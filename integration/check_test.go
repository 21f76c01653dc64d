package integration

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// TestCheckConnectAsksTheRealTable: directly and by way of the API, with the same answer.
func TestCheckConnectAsksTheRealTable(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		in := install(t, to, rig.RedisOptions{}, reference.Products{Seed: 1, Rows: 10}, nil)
		server := "http://" + in.Coordinator().API().Address
		worker := in.Worker()
		in.Await(in.Begin("products"), patience) // which makes the table
		if to == toPostgres {
			worker.AwaitOutput("the database of connection 'default' has fsync = off", patience)
		}
		in.Write("importers/unfit.yaml", "importer: unfit\ndestination: {table: products, create_table: false}\nkey: a\nfields:\n"+
			"  - {from: a, to: colour, type: integer}\n")
		for args, code := range map[string]int{"products": 0, "unfit": 1} {
			here := in.CLI("check", args, "--connect", "--output", "json")
			there := in.CLI("check", args, "--connect", "--output", "json", "--server", server)
			if diff := cmp.Diff(here, there); diff != "" || here.Code != code {
				t.Errorf("%s: exit code %d, want %d (-here +there):\n%s\n%s", args, here.Code, code, diff, here.Stdout)
			}
			if got := strings.Contains(here.Stdout, "has fsync = off: a crash of its machine can damage it"); got != (to == toPostgres) {
				t.Errorf("%s: what a crash can cost is told: %t\n%s", args, got, here.Stdout)
			}
			for _, want := range []string{`ADD COLUMN \"colour\" int`, "needs a unique index in the table 'products' (or `unique_index: false` under `destination`): CREATE UNIQUE INDEX", "unfit.yaml:5:19: "} {
				if got := strings.Contains(here.Stdout, want); got != (args == "unfit") {
					t.Errorf("%s: %q is there: %t\n%s", args, want, got, here.Stdout)
				}
			}
		}
	})
}

// TestMadeImportersImport: what is drafted of a real file imports it into both databases, into a table that it makes.
func TestMadeImportersImport(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		in := install(t, to, rig.RedisOptions{}, reference.Products{Seed: 1, Rows: 10}, nil)
		in.Coordinator()
		in.Worker()
		for name, rows := range map[string]int64{"countries": 249, "navaids": 11008} {
			file := demoFile(t, name+".csv")
			in.Must(0, "make", "importer", name, "--from", file)
			if done := in.Await(in.Begin(name, "--file", file), patience); done.Status != "completed" || done.Created != rows {
				t.Errorf("%s is %s with %d created rows, want %d", name, done.Status, done.Created, rows)
			}
			in.Must(0, "check", name, "--connect")
		}
	})
}
