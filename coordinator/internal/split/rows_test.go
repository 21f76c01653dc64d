package split

import (
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ingest/shared/row"
)

func numbered(numbers []int64, end error) iter.Seq2[row.Row, error] {
	return func(yield func(row.Row, error) bool) {
		for _, n := range numbers {
			if !yield(row.Row{Number: n}, nil) {
				return
			}
		}
		if end != nil {
			yield(row.Row{}, end)
		}
	}
}

func TestMergeOrdersByNumber(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfDistinct(rapid.Int64Range(1, 200), rapid.ID).Draw(t, "numbers")
		cut := rapid.IntRange(0, len(all)).Draw(t, "cut")
		a, b := slices.Clone(all[:cut]), slices.Clone(all[cut:])
		slices.Sort(a)
		slices.Sort(b)
		got := []int64{}
		for r, err := range merge(numbered(a, nil), numbered(b, nil)) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r.Number)
		}
		slices.Sort(all)
		if diff := cmp.Diff(append([]int64{}, all...), got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestMergePassesErrorsOn(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, merged := range map[string]iter.Seq2[row.Row, error]{
		"first":  merge(numbered([]int64{1}, broken), numbered([]int64{2, 3}, nil)),
		"second": merge(numbered([]int64{1, 9}, nil), numbered([]int64{2}, broken)),
	} {
		var last error
		for _, err := range merged {
			last = err
		}
		if !errors.Is(last, broken) {
			t.Errorf("%s: the sequence ended with %v", name, last)
		}
	}
}

func TestPickYieldsTheWantedNumbersOnly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := slices.Collect(func(yield func(int64) bool) {
			for n := range rapid.Int64Range(0, 40).Draw(t, "rows") {
				if !yield(n + 1) {
					return
				}
			}
		})
		want := []int64{}
		for _, n := range all {
			if rapid.Bool().Draw(t, "wanted") {
				want = append(want, n)
			}
		}
		got := []int64{}
		for r, err := range pick(numbered(all, nil), numbered(want, nil)) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r.Number)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}
