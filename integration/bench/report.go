package bench

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Report is what was measured.
type Report struct {
	Date    string             `json:"date"`
	Seconds float64            `json:"seconds"`
	Machine []Fact             `json:"machine"`
	Peers   []Fact             `json:"peers"`
	Sizes   []int              `json:"sizes"`
	Rounds  int                `json:"rounds"`
	Results []Result           `json:"results"`
	Figures map[string]float64 `json:"figures"`
	// Profiles are the CPU shares of packages in percent, by scene and process.
	Profiles map[string]map[string]float64 `json:"profiles"`
	// Mixed says that not all of it is of one run.
	Mixed bool `json:"mixed,omitempty"`
}

// Fact is a property of the machine, or a peer and its version.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Result is what a contender needed in a scene.
type Result struct {
	Scene     string   `json:"scene"`
	Rows      int      `json:"rows"`
	Contender string   `json:"contender"`
	Samples   []Sample `json:"samples"`
}

// Best is the fastest round.
func (r Result) Best() Sample {
	return slices.MinFunc(r.Samples, func(a, b Sample) int { return cmp.Compare(a.Seconds, b.Seconds) })
}

// Speed is rows per second of the fastest round.
func (r Result) Speed() float64 { return float64(r.Rows) / r.Best().Seconds }

// NewReport returns an empty report.
func NewReport() *Report {
	return &Report{Figures: map[string]float64{}, Profiles: map[string]map[string]float64{}}
}

// usualRows is the size that targets are about.
const usualRows = 1_000_000

// Usual is the greatest measured size up to 1,000,000 rows.
func (r *Report) Usual() int {
	usual := r.Sizes[0]
	for _, size := range r.Sizes {
		if size <= usualRows {
			usual = max(usual, size)
		}
	}
	return usual
}

// forget removes the figures and profiles that an earlier run has left of a scene.
func (r *Report) forget(scene string) {
	of := func(name string) bool { return strings.HasPrefix(name, scene+": ") }
	maps.DeleteFunc(r.Figures, func(name string, _ float64) bool { return of(name) })
	maps.DeleteFunc(r.Profiles, func(name string, _ map[string]float64) bool { return of(name) })
}

// drop removes what an earlier run has left of a contender with a file of that size.
func (r *Report) drop(scene, contender string, rows int) {
	r.Results = slices.DeleteFunc(r.Results, func(of Result) bool { return of.Scene == scene && of.Contender == contender && of.Rows == rows })
}

func (r *Report) add(scene, contender string, rows int, sample Sample) {
	for n := range r.Results {
		if of := &r.Results[n]; of.Scene == scene && of.Contender == contender && of.Rows == rows {
			of.Samples = append(of.Samples, sample)
			return
		}
	}
	r.Results = append(r.Results, Result{Scene: scene, Rows: rows, Contender: contender, Samples: []Sample{sample}})
}

// of returns the result of a contender, false when there is none.
func (r *Report) of(scene, contender string, rows int) (Result, bool) {
	for _, result := range r.Results {
		if result.Scene == scene && result.Contender == contender && result.Rows == rows {
			return result, true
		}
	}
	return Result{}, false
}

// times is how many times faster a is than b with the usual file, false when one of them was not measured.
func (r *Report) times(scene, a, b string) (float64, bool) {
	one, has := r.of(scene, a, r.Usual())
	other, had := r.of(scene, b, r.Usual())
	if !has || !had {
		return 0, false
	}
	return one.Speed() / other.Speed(), true
}

// Sizes reads a list of rows like "1000 10000".
func Sizes(text string) ([]int, error) {
	var sizes []int
	for _, word := range strings.Fields(text) {
		size, err := strconv.Atoi(strings.ReplaceAll(word, "_", ""))
		if err != nil || size < 1 {
			return nil, fmt.Errorf("%q is no number of rows", word)
		}
		sizes = append(sizes, size)
	}
	if len(sizes) == 0 {
		return nil, fmt.Errorf("no sizes in %q", text)
	}
	slices.Sort(sizes)
	return slices.Compact(sizes), nil
}
