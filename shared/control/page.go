package control

import (
	"fmt"
	"net/url"

	"ingest/shared/registry"
)

const (
	defaultPerPage = 15
	maxPerPage     = 100
)

func listFilter(req ListRequest) registry.Filter {
	return registry.Filter{
		Status: req.Status, Importer: req.Importer, Limit: req.PerPage, Offset: (req.Page - 1) * req.PerPage,
	}
}

// NoRuns is the first page of an installation that has none; path is where its API begins.
func NoRuns(path string, req ListRequest) List {
	list := List{Data: []Resource{}}
	list.Links, list.Meta = page(path, req.complete(), 0, 0)
	return list
}

func (r ListRequest) complete() ListRequest {
	if r.Page == 0 {
		r.Page = 1
	}
	if r.PerPage == 0 {
		r.PerPage = defaultPerPage
	}
	return r
}

// page makes the links and the place of a page with count runs of total.
func page(path string, req ListRequest, total int64, count int) (Links, PageMeta) {
	last := max(1, int((total+int64(req.PerPage)-1)/int64(req.PerPage)))
	link := func(number int) string {
		query := url.Values{}
		if req.Status != "" {
			query.Set("status", req.Status)
		}
		if req.Importer != "" {
			query.Set("importer", req.Importer)
		}
		if req.PerPage != defaultPerPage {
			query.Set("per_page", fmt.Sprint(req.PerPage))
		}
		query.Set("page", fmt.Sprint(number))
		return path + "?" + query.Encode()
	}
	links := Links{First: link(1), Last: link(last)}
	if req.Page > 1 {
		links.Prev = textOf(link(req.Page - 1))
	}
	if req.Page < last {
		links.Next = textOf(link(req.Page + 1))
	}
	meta := PageMeta{CurrentPage: req.Page, LastPage: last, Path: path, PerPage: req.PerPage, Total: total}
	if count > 0 {
		from := int64(req.Page-1)*int64(req.PerPage) + 1
		to := from + int64(count) - 1
		meta.From, meta.To = &from, &to
	}
	return links, meta
}
