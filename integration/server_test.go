package integration

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// serving is an installation with a running server: commands work in it directly, or by way of its API.
type serving struct {
	installation
	server string
	token  string
}

// guarded starts `up` with a token for an operator.
func guarded(t *testing.T, p reference.Products) serving {
	t.Helper()
	in := alone(t, p)
	var made struct {
		Data struct {
			Token string `json:"token"`
			Line  string `json:"line"`
		} `json:"data"`
	}
	decode(t, in.Must(0, "token", "ops", "--role", "operator", "--output", "json"), &made)
	up := in.StartWith([]string{"INGEST_TOKENS_FILE=" + in.Write("tokens.yaml", made.Data.Line+"\n")}, "up")
	return serving{installation: in, server: "http://" + up.API().Address, token: made.Data.Token}
}

// there runs a command by way of the API.
func (s serving) there(args ...string) rig.Result {
	return s.CLI(append(args, "--server", s.server, "--token", s.token)...)
}

var varying = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+Z)?|\d\d:\d\d:\d\d|[0-9,]+ rows/s|"rows_per_second": \d+|Duration +\S+|"duration_seconds": \S+`)

// TestACommandIsTheSameByWayOfTheAPI: what is printed, where, and the exit code.
func TestACommandIsTheSameByWayOfTheAPI(t *testing.T) {
	t.Parallel()
	in := guarded(t, reference.Products{Seed: 3, Rows: 3000, Bad: 0.02})
	in.Must(3, "run", "products")
	in.Write("importers/broken.yaml", "importer: broken\nfeilds: []\n")
	for _, args := range [][]string{
		{"list"},
		{"runs"},
		{"runs", "--status", "completed", "--limit", "3"},
		{"status", "1"},
		{"status", "1", "--watch"},
		{"status", "99"},
		{"cancel", "1"},
		{"cancel", "99"},
		{"errors", "1"},
		{"errors", "99"},
		{"failed-rows", "1"},
		{"failed-rows", "1", "--raw"},
		{"failed-rows", "99"},
		{"explain", "1", "--row", "1"},
		{"explain", "1", "--row", "99999"},
		{"explain", "99", "--row", "1"},
		{"preview", "products", "--rows", "3"},
		{"preview", "nothing"},
		{"check"},
		{"check", "products", "--connect"},
		{"check", "nothing"},
		{"workers"},
		{"verify", "1"},
		{"rebuild", "1"},
		{"retry", "99"},
		{"run", "nothing"},
	} {
		formats := []string{"table", "json", "yaml"}
		if args[0] == "failed-rows" {
			formats = formats[:1]
		}
		for _, format := range formats {
			all := append([]string{"--output", format}, args...)
			here, there := in.CLI(all...), in.there(all...)
			for _, result := range []*rig.Result{&here, &there} {
				result.Stdout = varying.ReplaceAllString(result.Stdout, "…")
				result.Stderr = varying.ReplaceAllString(result.Stderr, "…")
			}
			if diff := cmp.Diff(here, there); diff != "" {
				t.Errorf("%s (-here +there):\n%s", strings.Join(all, " "), diff)
			}
		}
	}
}

// TestRunsByWayOfTheAPI: importing, waiting, retrying and cancelling somewhere else give the same rows and exit codes,
// and the run names who asked for it.
func TestRunsByWayOfTheAPI(t *testing.T) {
	t.Parallel()
	p := reference.Products{Seed: 3, Rows: 3000, Bad: 0.02}
	in := guarded(t, p)
	file := in.want.importer.Path
	if result := in.there("run", "products", "--dry-run"); result.Code != 3 {
		t.Fatalf("dry run: exit code %d\n%s", result.Code, result.Stderr)
	}
	if result := in.there("run", "products", "--file", file); result.Code != 3 {
		t.Fatalf("upload: exit code %d\n%s", result.Code, result.Stderr)
	}
	in.want.check(t, in.System, in.Status(2))
	if user := in.Status(2).UserID; user != "ops" {
		t.Errorf("the run is %q's", user)
	}
	if result := in.there("retry", "2"); result.Code != 3 || in.Status(3).Progress.Failed != in.want.result.Failed {
		t.Errorf("retry: exit code %d, %d rows failed", result.Code, in.Status(3).Progress.Failed)
	}
	if result := in.there("retry", "2"); result.Code != 1 || !strings.Contains(result.Stderr, "Run #2 was already retried as run #3.") {
		t.Errorf("second retry: exit code %d\n%s", result.Code, result.Stderr)
	}
	standard := in.CLIWith(p.Text(), "run", "products", "--file", "-", "--detach", "--server", in.server, "--token", in.token)
	if standard.Code != 0 {
		t.Fatalf("standard input: exit code %d\n%s", standard.Code, standard.Stderr)
	}
	in.want.checkTable(t, in.System)
	// An empty file is a file, here and there.
	empty := in.Write("empty.csv", "")
	for _, result := range []rig.Result{in.there("run", "products", "--file", empty), in.CLI("run", "products", "--file", empty)} {
		if result.Code != 0 || !strings.Contains(result.Stdout, "The source is empty.") {
			t.Errorf("an empty file: %+v", result)
		}
	}
	if result := in.there("run", "products", "--file", "-"); result.Code != 0 || !strings.Contains(result.Stdout, "The source is empty.") {
		t.Errorf("empty standard input: %+v", result)
	}
	if r := in.Await(4, patience); r.Filename != "stdin" || r.Unchanged+r.Progress.Failed != r.Progress.Total {
		t.Errorf("standard input: %+v", r)
	}
}

// TestTheServerRefusesByName: who has no token, and what no server answers.
func TestTheServerRefusesByName(t *testing.T) {
	t.Parallel()
	in := guarded(t, reference.Products{Seed: 1, Rows: 10})
	for _, c := range []struct {
		args []string
		says string
		code int
	}{
		{[]string{"runs", "--server", in.server}, "A token is needed", 1},
		{[]string{"runs", "--server", in.server, "--token", "ingest_wrong"}, "The token is unknown or has expired.", 1},
		{[]string{"runs", "--server", "http://127.0.0.1:1"}, "The server http://127.0.0.1:1/api/v1/ingest cannot be reached", 1},
		{[]string{"runs", "--server", in.server + "/elsewhere", "--token", in.token}, "There is no such route", 1},
	} {
		result := in.CLI(c.args...)
		if result.Code != c.code || !strings.Contains(result.Stderr, c.says) || strings.Contains(fmt.Sprint(result), "ingest_wrong") {
			t.Errorf("%v: %+v", c.args, result)
		}
	}
}
