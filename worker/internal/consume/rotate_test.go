package consume

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryRunGetsItsTurn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		active []int64
		last   int64
		want   []int64
	}{
		{[]int64{3, 1, 2}, 0, []int64{1, 2, 3}},
		{[]int64{1, 2, 3}, 1, []int64{2, 3, 1}},
		{[]int64{1, 2, 3}, 3, []int64{1, 2, 3}},
		{[]int64{1, 5, 9}, 6, []int64{9, 1, 5}},
		{[]int64{4}, 4, []int64{4}},
		{nil, 4, []int64{}},
	} {
		if diff := cmp.Diff(test.want, append([]int64{}, rotate(test.active, test.last)...)); diff != "" {
			t.Errorf("after %d of %v: %s", test.last, test.active, diff)
		}
	}
}
