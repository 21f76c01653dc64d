package bench

import (
	"bufio"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// measured is a report with the figures of a round.
func measured() *Report {
	r := NewReport()
	r.Sizes, r.Rounds = []int{1000, 1_000_000}, 2
	for _, size := range r.Sizes {
		for contender, seconds := range map[string]float64{staged: 12, created: 8, unchanged: 3} {
			for _, noise := range []float64{1, 1.5} {
				sample := Sample{Seconds: seconds * noise * float64(size) / 1e6, CPU: CPU{"worker": 2, client: 1}, Peak: map[string]float64{"worker": 70}}
				r.add("products/postgres", contender, size, sample)
			}
		}
	}
	r.Figures["small/latency: ingest run --wait, median ms"] = 75
	return r
}

func TestTheFastestRoundCounts(t *testing.T) {
	t.Parallel()
	text, _ := measured().Page()
	for _, want := range []string{
		"| PostgreSQL, update into an empty table, beside psql's staged upsert | ≥ 1.40 × | 1.50 × | met |",
		"| 100 rows, `ingest run --wait`, median | ≤ 60 ms | 75 ms | missed |",
		"| commands to Redis, of an import into PostgreSQL | ≤ 6 per chunk |  | not measured |",
		"| ingest | 8.00 | 125,000 | 1.50 × | 3.00 | – | 2.00 | – | – | 1.00 | 70 | – | – |",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
}

func TestPlotsAreXML(t *testing.T) {
	t.Parallel()
	_, plots := measured().Page()
	if len(plots) != 2 {
		t.Errorf("%d plots", len(plots))
	}
	for name, svg := range plots {
		elements := 0
		for decoder := xml.NewDecoder(strings.NewReader(svg)); ; elements++ {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, svg)
			}
		}
		if elements < 20 || strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s: %s", name, svg)
		}
	}
}

func TestAProcessWithAnOddNameIsRead(t *testing.T) {
	t.Parallel()
	pid, of, err := parse("42 (a) b (c)) S 7 42 42 0 -1 4194304 1 2 3 4 150 50 300 100 20 0 1 0 99 1 1\n")
	if err != nil || pid != 42 || of != (stat{parent: 7, own: 2, dead: 4}) {
		t.Error(pid, of, err)
	}
	if _, _, err := parse("42 (a) S 7"); err == nil {
		t.Error("half a line is read")
	}
}

func TestCommandsAreCountedOnTheirWay(t *testing.T) {
	t.Parallel()
	const sent = "*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$9\r\n*1\r\n$1\r\nb\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n"
	var r relay
	var passed strings.Builder
	if err := r.pass(bufio.NewReader(iotest.OneByteReader(strings.NewReader(sent))), bufio.NewWriter(&passed)); err != nil {
		t.Fatal(err)
	}
	if r.count.Load() != 3 || passed.String() != sent {
		t.Errorf("%d commands, passed on: %q", r.count.Load(), passed.String())
	}
	if err := r.pass(bufio.NewReader(strings.NewReader("PING\r\n")), bufio.NewWriter(&passed)); err == nil {
		t.Error("an inline command is passed on uncounted")
	}
}

func TestRedisIsSetAsInComposeYAML(t *testing.T) {
	t.Parallel()
	compose, err := os.ReadFile("../../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	words := strings.NewReplacer(",", "", `"`, "").Replace(string(compose))
	if settings := strings.Join(composed(), " "); !strings.Contains(words, settings) {
		t.Errorf("compose.yaml does not have %s", settings)
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	sizes, err := Sizes("1000000 1_000")
	if err != nil || len(sizes) != 2 || sizes[0] != 1000 {
		t.Error(sizes, err)
	}
	for _, bad := range []string{"", "many", "-1", "10 x", "10,100"} {
		if _, err := Sizes(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestPercentiles(t *testing.T) {
	t.Parallel()
	var of []time.Duration
	for n := range 100 {
		of = append(of, time.Duration(100-n)*time.Millisecond)
	}
	if percentile(of, 50) != 51 || percentile(of, 99) != 100 || percentile(of, 100) != 100 {
		t.Error(percentile(of, 50), percentile(of, 99), percentile(of, 100))
	}
}
