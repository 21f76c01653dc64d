package apply

import (
	"encoding/json"
	"fmt"

	"ingest/shared/column"
	"ingest/shared/pipeline"
)

// kept is a record as the ledger keeps it. Values are texts as strings, NULL as null and what is absent as 0.
type kept struct {
	Target int      `json:"t,omitempty"`
	Values []any    `json:"v"`
	Many   [][]any  `json:"m,omitempty"`
	Nested [][]kept `json:"n,omitempty"`
}

func encodeRecord(r *pipeline.Record) (string, error) {
	text, err := json.Marshal(keep(r))
	if err != nil {
		return "", fmt.Errorf("encode a rehearsed row: %w", err)
	}
	return string(text), nil
}

func keep(r *pipeline.Record) kept {
	k := kept{Target: r.Target, Values: plain(r.Values)}
	for _, list := range r.Many {
		k.Many = append(k.Many, plain(list))
	}
	for _, list := range r.Nested {
		var rows []kept
		for i := range list {
			rows = append(rows, keep(&list[i]))
		}
		k.Nested = append(k.Nested, rows)
	}
	return k
}

// plain keeps nil apart from an empty list.
func plain(values []column.Value) []any {
	if values == nil {
		return nil
	}
	list := make([]any, len(values))
	for i, value := range values {
		switch value.State {
		case column.Set:
			list[i] = value.Text
		case column.Null:
			list[i] = nil
		default:
			list[i] = 0
		}
	}
	return list
}

func decodeRecord(text string) (pipeline.Record, error) {
	var k kept
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return pipeline.Record{}, fmt.Errorf("decode a rehearsed row: %w", err)
	}
	return k.record(), nil
}

func (k kept) record() pipeline.Record {
	r := pipeline.Record{Target: k.Target, Values: values(k.Values)}
	for _, list := range k.Many {
		r.Many = append(r.Many, values(list))
	}
	for _, list := range k.Nested {
		var rows []pipeline.Record
		for _, row := range list {
			rows = append(rows, row.record())
		}
		r.Nested = append(r.Nested, rows)
	}
	return r
}

func values(list []any) []column.Value {
	if list == nil {
		return nil
	}
	out := make([]column.Value, len(list))
	for i, value := range list {
		switch value := value.(type) {
		case string:
			out[i] = column.Value{Text: value, State: column.Set}
		case nil:
			out[i] = column.Value{State: column.Null}
		}
	}
	return out
}
