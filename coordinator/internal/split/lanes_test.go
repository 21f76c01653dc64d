package split

import "testing"

func TestLanesBySizeAndPlace(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for _, of := range []struct {
		size                  int64
		sinks, servers, files int
	}{
		{0, 1, 1, 1},
		{1, 1, 1, 1},
		{4 * mib, 1, 1, 1},
		{4*mib + 1, 2, 2, 2},
		{11 * mib, 3, 3, 2},
		{16 * mib, 4, 4, 2},
		{16*mib + 1, 5, 5, 2},
		{24 * mib, 6, 5, 2},
		{48 * mib, 12, 5, 2},
		{48*mib + 1, 13, 6, 2},
		{108 * mib, 16, 7, 2},
		{400 * mib, 16, 16, 2},
		{1 << 50, 16, 16, 2},
	} {
		if a, b, c := lanes(of.size, 16, sinks), lanes(of.size, 16, servers), lanes(of.size, 16, files); a != of.sinks || b != of.servers || c != of.files {
			t.Errorf("%d bytes: %d, %d, %d partitions, want %d, %d, %d", of.size, a, b, c, of.sinks, of.servers, of.files)
		}
	}
	if n := lanes(1<<40, 3, servers); n != 3 {
		t.Errorf("%d partitions where 3 are the most", n)
	}
	if n := lanes(1<<40, 1, files); n != 1 {
		t.Errorf("%d partitions where 1 is the most", n)
	}
}
