package control

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"ingest/shared/ledger"
)

// RowsRequest selects a page of the rows that a run kept, by number. Zero values mean: from the first row, 100 rows, all
// that were kept.
type RowsRequest struct {
	// After selects rows with a greater number.
	After int64
	Limit int
	// Failed selects failed rows only.
	Failed bool
}

// MaxRows is how many rows a page may have.
const MaxRows = 1000

// defaultRows is how many it has.
const defaultRows = 100

// RowPage is one page of rows. NextCursor is the cursor of the next page, null on the last one.
type RowPage struct {
	Data  []Row       `json:"data"`
	Links RowLinks    `json:"links"`
	Meta  RowPageMeta `json:"meta"`
}

// RowLinks leads to the next page, path-absolute.
type RowLinks struct {
	Next *string `json:"next"`
}

// RowPageMeta says how a page was cut.
type RowPageMeta struct {
	PerPage    int     `json:"per_page"`
	NextCursor *string `json:"next_cursor"`
}

// Rows returns a page of the rows that a run kept, ordered by number.
func (c *Control) Rows(ctx context.Context, id int64, req RowsRequest) (RowPage, error) {
	if req.Limit == 0 {
		req.Limit = defaultRows
	}
	if req.Limit < 1 || req.Limit > MaxRows {
		return RowPage{}, &Error{
			Kind: Invalid, Field: "per_page", Message: fmt.Sprintf("The per_page must be between 1 and %d.", MaxRows),
		}
	}
	r, err := c.get(ctx, id)
	if err != nil {
		return RowPage{}, err
	}
	page := RowPage{Data: []Row{}, Meta: RowPageMeta{PerPage: req.Limit}}
	if r.Manifest == nil {
		return page, nil
	}
	// One row more than the page has tells whether there is another page.
	rows, err := c.rows(ctx, r, ledger.Filter{Failed: req.Failed, After: req.After}, req.Limit+1)
	if err != nil {
		return RowPage{}, err
	}
	page.Data = rows[:min(len(rows), req.Limit)]
	if len(rows) > req.Limit {
		cursor := strconv.FormatInt(page.Data[req.Limit-1].RowNumber, 10)
		query := url.Values{"cursor": {cursor}}
		if req.Failed {
			query.Set("status", "failed")
		}
		if req.Limit != defaultRows {
			query.Set("per_page", strconv.Itoa(req.Limit))
		}
		page.Meta.NextCursor = &cursor
		page.Links.Next = textOf(fmt.Sprintf("%s/%d/rows?%s", c.settings.Path, id, query.Encode()))
	}
	return page, nil
}
