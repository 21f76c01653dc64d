// Package bench measures the engine beside what else writes files into databases, in one run on one machine, and makes
// docs/benchmarks.md of it: `make bench`.
//
// A scene starts its servers, races its contenders and leaves results; what it measures is always wall time, the CPU
// seconds of every process, and the greatest resident size of the engine's processes. Contenders take turns (A, B, A,
// B …), so that a noisy neighbour disturbs all of them, and the fastest of their rounds counts: noise only ever adds.
// Ratios hold on other machines, seconds do not. The results are kept as JSON beside the page, which is rendered of
// nothing else.
package bench

import (
	"regexp"
	"slices"
	"testing"
	"time"
)

// Options say how much is measured.
type Options struct {
	// Sizes are the rows of the products file, ascending.
	Sizes []int
	// Rounds is how often each contender runs; a file of 10,000,000 rows is imported once.
	Rounds int
	// Only are the scenes that are measured, nil = all. The results of others are kept as they are, as are those of theirs with files of
	// other sizes.
	Only *regexp.Regexp
}

// Bench is one run of the benchmarks.
type Bench struct {
	testing.TB

	options Options
	report  *Report
	files   *files
}

// Measure measures every scene and adds to the report. keep is called after each, so that a scene that fails takes
// nothing from the others.
func Measure(t *testing.T, options Options, report *Report, keep func()) {
	t.Helper()
	began := time.Now()
	report.Machine, report.Date = machine(t), began.UTC().Format(time.DateOnly)
	report.Mixed = options.Only != nil && len(report.Results)+len(report.Figures) > 0
	report.Sizes = slices.Compact(slices.Sorted(slices.Values(slices.Concat(report.Sizes, options.Sizes))))
	report.Rounds, report.Peers = options.Rounds, peers()
	store := &files{dir: t.TempDir(), made: map[string]string{}}
	for _, scene := range scenes() {
		if options.Only != nil && !options.Only.MatchString(scene.name) {
			continue
		}
		t.Run(scene.name, func(t *testing.T) {
			report.forget(scene.name)
			scene.measure(&Bench{TB: t, options: options, report: report, files: store})
		})
		report.Seconds = time.Since(began).Seconds()
		keep()
	}
}

// manyRows is the size of a file that is imported once: a round takes minutes, in which noise evens out.
const manyRows = 5_000_000

// enough is the greatest file for contenders that show nothing more with a greater one: peers that would take ten minutes, and
// imports into a table that has its rows already.
const enough = 1_000_000

// rounds is how often a contender runs with a file of that size.
func (b *Bench) rounds(rows int) int {
	if rows >= manyRows {
		return 1
	}
	return b.options.Rounds
}

// largest is the greatest size of the run.
func (b *Bench) largest() int { return slices.Max(b.options.Sizes) }

// usual is the size that most scenes have: 1,000,000 rows, or what the run has.
func (b *Bench) usual() int { return b.report.Usual() }

// contender is one way to get a file into a table.
type contender struct {
	name string
	// before makes the table what the contender needs; it is not measured. nil = it goes on with what the last one left.
	before func()
	run    func()
	// most is the greatest file it is given, 0 = any.
	most int
}

// race lets contenders take turns and keeps what each needed. count is how many rows the table has, which must be those
// of the file: who is fast because rows are missing is no contender; nil = nobody looks.
func (b *Bench) race(scene string, rows int, watched processes, count func() int, contenders ...contender) {
	b.Helper()
	for round := range b.rounds(rows) {
		for _, c := range contenders {
			if c.most > 0 && rows > c.most {
				continue
			}
			if c.before != nil {
				c.before()
			}
			sample := b.measure(watched, c.run)
			if round == 0 {
				b.report.drop(scene, c.name, rows)
			}
			if count != nil && count() != rows {
				b.Fatalf("%s: %s: the table has %d rows, the file %d", scene, c.name, count(), rows)
			}
			b.report.add(scene, c.name, rows, sample)
			b.Logf("%s %d rows, round %d: %s: %.2f s, %.0f rows/s, %.2f CPU s", scene, rows, round+1, c.name,
				sample.Seconds, float64(rows)/sample.Seconds, sample.CPU.total())
		}
	}
}

// note keeps a figure that is no race.
func (b *Bench) note(scene, name string, value float64) {
	b.report.Figures[scene+": "+name] = value
	b.Logf("%s: %s = %.4g", scene, name, value)
}
