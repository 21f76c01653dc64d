package api

import (
	"net/http"
	"strconv"

	"github.com/gorilla/mux"

	"ingest/shared/control"
)

// explain answers with what is known of one row.
func (a *API) explain(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r)
	if err != nil {
		return err
	}
	// A number that is too large for one is a row that does not exist.
	number, err := strconv.ParseInt(mux.Vars(r)["number"], 10, 64)
	if err != nil {
		number = 0
	}
	explanation, err := a.Control.Explain(r.Context(), id, number)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, data[control.Explanation]{explanation})
}

// preview answers with what an importer would make of its own source.
func (a *API) preview(w http.ResponseWriter, r *http.Request) error {
	q := queryOf(r)
	rows := q.number("rows", 0, 1)
	if q.err != nil {
		return q.err
	}
	var given params
	for _, text := range q.values["param"] {
		if err := given.add(text); err != nil {
			return err
		}
	}
	preview, err := a.Control.Preview(r.Context(), control.PreviewRequest{Importer: slugOf(r), Rows: int(rows), Params: given})
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, data[control.Preview]{preview})
}

func docExplain() operation {
	return operation{
		id: "explainRow", summary: "Explain what became of a row",
		about: "The row as read, what each rule and transform made of it, its place and its outcome. A row that was not kept is read from the source again.",
		gives: answers{http.StatusOK, "What is known of it.", content{inJSON, data[control.Explanation]{}, nil}}, fails: []int{404},
	}
}

func docPreview() operation {
	return operation{
		id: "previewImporter", summary: "Show what would become of the first rows",
		about: "Of the importer's own source; nothing is written and no run begins. Files are previewed where they lie, with ingest preview --file.",
		params: []parameter{
			{"rows", "query", "Up to 1000, 10 when left out.", "integer", 10},
			{"param", "query", "A parameter of the importer, name=value; may be given more than once.", "string", "month=2026-01"},
		},
		gives: answers{http.StatusOK, "The rows and their way.", content{inJSON, data[control.Preview]{}, nil}}, fails: []int{404},
	}
}
