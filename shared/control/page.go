package control

import (
	"fmt"
	"net/url"

	"ingest/shared/registry"
)

const (
	defaultPerPage = 15
	maxPerPage     = 100
	basePath       = "/api/v1/ingest"
)

func listFilter(req ListRequest) registry.Filter {
	return registry.Filter{
		Status: req.Status, Importer: req.Importer, Limit: req.PerPage, Offset: (req.Page - 1) * req.PerPage,
	}
}

// page makes the links and the place of a page with count runs of total.
func page(req ListRequest, total int64, count int) (Links, PageMeta) {
	last := max(1, int((total+int64(req.PerPage)-1)/int64(req.PerPage)))
	link := func(number int) string {
		query := url.Values{}
		if req.Status != "" {
			query.Set("status", req.Status)
		}
		if req.Importer != "" {
			query.Set("importer", req.Importer)
		}
		query.Set("page", fmt.Sprint(number))
		return basePath + "?" + query.Encode()
	}
	links := Links{First: link(1), Last: link(last)}
	if req.Page > 1 {
		links.Prev = textOf(link(req.Page - 1))
	}
	if req.Page < last {
		links.Next = textOf(link(req.Page + 1))
	}
	meta := PageMeta{CurrentPage: req.Page, LastPage: last, Path: basePath, PerPage: req.PerPage, Total: total}
	if count > 0 {
		from := int64(req.Page-1)*int64(req.PerPage) + 1
		to := from + int64(count) - 1
		meta.From, meta.To = &from, &to
	}
	return links, meta
}
