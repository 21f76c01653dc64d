package control

import (
	"context"
	"slices"
	"strings"

	"ingest/shared/chunk"
	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/row"
	"ingest/shared/run"
)

// Reader reads sources as runs do, without running anything.
type Reader interface {
	// Head tells begin the header of a file and take its rows, until take says that it was enough; the cells are valid
	// until then. A source without a header tells nothing.
	Head(ctx context.Context, of run.Run, f importer.Format, begin func(header []string) error, take func(row.Row) bool) error
	// Find reads a row of a run whose manifest is fixed again, and says where it is. found is false when it has none.
	Find(ctx context.Context, of run.Run, number int64) (in row.Row, at run.Place, found bool, err error)
}

// Way is what each part of a definition made of a row, as far as it came.
type Way struct {
	BeforeRow []MadeColumn `json:"before_row"`
	Rules     []JudgedRule `json:"rules"`
	// Into is the table that the row goes to, empty where it did not come so far.
	Into   string        `json:"into,omitempty"`
	Fields []FilledField `json:"fields"`
	Lists  []FilledField `json:"lists,omitempty"`
	Nested []NestedList  `json:"nested,omitempty"`
}

// NestedList are the rows of a nested list, or why there are none.
type NestedList struct {
	From   string      `json:"from"`
	Into   string      `json:"into"`
	Rows   []NestedRow `json:"rows"`
	Errors []string    `json:"errors,omitempty"`
}

// NestedRow is what an object of a nested list becomes.
type NestedRow struct {
	Fields []FilledField `json:"fields"`
	Lists  []FilledField `json:"lists,omitempty"`
}

// MadeColumn is a source column that before_row made; null is NULL.
type MadeColumn struct {
	Column string  `json:"column"`
	Value  *string `json:"value"`
}

// JudgedRule is what a rule said to a source column: passed, failed, or not_checked because the cell is blank, an earlier rule
// of the column failed, or it looks into tables.
type JudgedRule struct {
	Column  string `json:"column"`
	Rule    string `json:"rule"`
	Result  string `json:"result"`
	Message string `json:"message,omitempty"`
}

// The results of a rule.
const (
	RulePassed     = "passed"
	RuleFailed     = "failed"
	RuleNotChecked = "not_checked"
)

// FilledField is what a column of the table gets: Read is the cell before the transforms, Value what is written; null is
// NULL, or, for an Absent column, that the row says nothing of it. With Related the key of the row that has the value there
// is written. A list has Values, one for each row of the pivot table Column.
type FilledField struct {
	From    string        `json:"from"`
	Column  string        `json:"column"`
	Type    string        `json:"type"`
	Related string        `json:"related,omitempty"`
	Read    *string       `json:"read"`
	Steps   []AppliedStep `json:"steps"`
	Value   *string       `json:"value"`
	Values  []string      `json:"values,omitzero"`
	Absent  bool          `json:"absent,omitempty"`
	Errors  []string      `json:"errors,omitempty"`
}

// AppliedStep is a transform with what went in and came out, or why nothing did.
type AppliedStep struct {
	Transform string  `json:"transform"`
	Input     *string `json:"input"`
	Output    *string `json:"output"`
	Error     string  `json:"error,omitempty"`
}

func wayOf(t pipeline.Trace) Way {
	w := Way{BeforeRow: []MadeColumn{}, Rules: []JudgedRule{}, Fields: []FilledField{}}
	for _, made := range t.Made {
		w.BeforeRow = append(w.BeforeRow, MadeColumn{made.Column, shownValue(made.Value)})
	}
	for _, judged := range t.Rules {
		rule := JudgedRule{Column: judged.Column, Rule: judged.Rule, Result: RulePassed, Message: judged.Message}
		switch {
		case !judged.Looked:
			rule.Result = RuleNotChecked
		case judged.Message != "":
			rule.Result = RuleFailed
		}
		w.Rules = append(w.Rules, rule)
	}
	if t.Mapped == nil {
		return w
	}
	w.Into, w.Fields, w.Lists = t.Mapped.Table, fieldsOf(t.Mapped.Fields), fieldsOf(t.Mapped.Lists)
	for _, list := range t.Mapped.Nested {
		nested := NestedList{From: list.Source, Into: list.Table, Rows: []NestedRow{}, Errors: list.Messages}
		for _, one := range list.Rows {
			nested.Rows = append(nested.Rows, NestedRow{Fields: fieldsOf(one.Fields), Lists: fieldsOf(one.Lists)})
		}
		w.Nested = append(w.Nested, nested)
	}
	return w
}

func fieldsOf(all []pipeline.Filled) []FilledField {
	out := []FilledField{}
	for _, filled := range all {
		field := FilledField{
			From: filled.Source, Column: filled.Column.Name, Type: filled.Column.Type.Native, Related: filled.Related,
			Read: shownValue(filled.Read), Steps: []AppliedStep{}, Value: shownValue(filled.Value), Errors: filled.Messages,
			Absent: filled.Value.State == column.Absent && filled.Messages == nil && filled.Values == nil,
		}
		for _, step := range filled.Steps {
			field.Steps = append(field.Steps, AppliedStep{
				Transform: step.Transform, Input: shownValue(step.In), Output: shownValue(step.Out), Error: step.Problem,
			})
		}
		if filled.Values != nil {
			field.Values = []string{}
		}
		for _, value := range filled.Values {
			field.Values = append(field.Values, *shownValue(value))
		}
		out = append(out, field)
	}
	return out
}

// shownValue is a value in memory of its own, nil for none.
func shownValue(v column.Value) *string {
	if v.State != column.Set {
		return nil
	}
	text := strings.Clone(strings.ToValidUTF8(v.Text, "�"))
	return &text
}

// errorsOf are the messages of a row that the pipeline fails.
func errorsOf(f *pipeline.Failure) *RowErrors {
	return rowOf(chunk.Logged{Status: chunk.StatusFailed, Message: f.Message, Fields: f.Fields}, nil, nil).Errors
}

// named are the names of columns that have one.
func named(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "" })
}
