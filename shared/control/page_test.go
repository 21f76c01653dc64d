package control

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ingest/shared/registry"
)

func TestPages(t *testing.T) {
	t.Parallel()
	number := func(n int64) *int64 { return &n }
	for name, c := range map[string]struct {
		request ListRequest
		total   int64
		count   int
		links   Links
		meta    PageMeta
	}{
		"none": {
			request: ListRequest{Page: 1, PerPage: 15},
			links:   Links{First: "/api/v1/ingest?page=1", Last: "/api/v1/ingest?page=1"},
			meta:    PageMeta{CurrentPage: 1, LastPage: 1, Path: "/api/v1/ingest", PerPage: 15},
		},
		"one page, full": {
			request: ListRequest{Page: 1, PerPage: 15}, total: 15, count: 15,
			links: Links{First: "/api/v1/ingest?page=1", Last: "/api/v1/ingest?page=1"},
			meta: PageMeta{
				CurrentPage: 1, From: number(1), LastPage: 1, Path: "/api/v1/ingest", PerPage: 15, To: number(15), Total: 15,
			},
		},
		"the middle, filtered": {
			request: ListRequest{Page: 2, PerPage: 5, Status: "completed_with_errors", Importer: "a&b"}, total: 11, count: 5,
			links: Links{
				First: "/api/v1/ingest?importer=a%26b&page=1&per_page=5&status=completed_with_errors",
				Last:  "/api/v1/ingest?importer=a%26b&page=3&per_page=5&status=completed_with_errors",
				Prev:  textOf("/api/v1/ingest?importer=a%26b&page=1&per_page=5&status=completed_with_errors"),
				Next:  textOf("/api/v1/ingest?importer=a%26b&page=3&per_page=5&status=completed_with_errors"),
			},
			meta: PageMeta{
				CurrentPage: 2, From: number(6), LastPage: 3, Path: "/api/v1/ingest", PerPage: 5, To: number(10), Total: 11,
			},
		},
		"the last, not full": {
			request: ListRequest{Page: 3, PerPage: 5}, total: 11, count: 1,
			links: Links{
				First: "/api/v1/ingest?page=1&per_page=5", Last: "/api/v1/ingest?page=3&per_page=5",
				Prev: textOf("/api/v1/ingest?page=2&per_page=5"),
			},
			meta: PageMeta{
				CurrentPage: 3, From: number(11), LastPage: 3, Path: "/api/v1/ingest", PerPage: 5, To: number(11), Total: 11,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			links, meta := page("/api/v1/ingest", c.request, c.total, c.count)
			if diff := cmp.Diff(c.links, links); diff != "" {
				t.Errorf("links (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.meta, meta); diff != "" {
				t.Errorf("meta (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPagesHoldEveryRunOnce: going along the pages by what the filter asks for, nothing is left out or shown twice.
func TestPagesHoldEveryRunOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(0, 500).Draw(t, "total")
		perPage := rapid.IntRange(1, maxPerPage).Draw(t, "per page")
		seen := int64(0)
		for number := 1; ; number++ {
			request := ListRequest{Page: number, PerPage: perPage}
			want := registry.Filter{Limit: perPage, Offset: int(seen)}
			if diff := cmp.Diff(want, listFilter(request)); diff != "" {
				t.Fatalf("page %d asks for something else (-want +got):\n%s", number, diff)
			}
			count := int(min(total-seen, int64(perPage)))
			links, meta := page("/api/v1/ingest", request, total, count)
			if count > 0 && (*meta.From != seen+1 || *meta.To != seen+int64(count)) {
				t.Fatalf("page %d is from %d to %d, want %d to %d", number, *meta.From, *meta.To, seen+1, seen+int64(count))
			}
			seen += int64(count)
			if (links.Prev == nil) != (number == 1) {
				t.Fatalf("page %d: the one before is %v", number, links.Prev)
			}
			if links.Next == nil {
				if seen != total || meta.LastPage != number {
					t.Fatalf("page %d of %d is the last one, with %d of %d runs", number, meta.LastPage, seen, total)
				}
				return
			}
		}
	})
}
