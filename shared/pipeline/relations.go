package pipeline

import (
	"encoding/json"
	"strings"

	"ingest/shared/column"
	"ingest/shared/importer"
)

// Belongs is a column of a target whose values in a Record are those of the related table's column Match: the key of the
// row that has it is what is written.
type Belongs struct {
	// At is the position in Columns.
	At       int
	Relation importer.Relation
	// Related is the table that is looked into, Match its column.
	Related column.Table
	Match   column.Column
	// Missing is the message of a row whose value none has, Required that of one without a value where there has to be one.
	Missing, Required string
}

// Many is a list of values of the related table's column Match.
type Many struct {
	Relation importer.Relation
	Related  column.Table
	Match    column.Column
	// Source is the primary source name, Words what messages call it; Missing is the message of a row with a value that
	// none has.
	Source, Words, Missing string

	field field
}

func (b building) addRelation(t *Target, r importer.Relation) error {
	related, err := b.table(r.Table)
	if err != nil {
		return err
	}
	match, ok := related.Column(r.Match)
	if !ok {
		return &Error{"The table '" + r.Table + "' has no column '" + r.Match + "' (relation '" + r.From[0] + "')."}
	}
	f := importer.Field{From: r.From, To: r.Match, Transform: r.Transform}
	compiled, found, err := b.field(f, related)
	if err != nil || !found {
		return err
	}
	missing := b.sentence(compiled.source, compiled.words, "exists")
	if r.Many() {
		t.Many = append(t.Many, Many{
			Relation: r, Related: related, Match: match, Source: compiled.source, Words: compiled.words, Missing: missing, field: compiled,
		})
		return nil
	}
	target, _ := t.Table.Column(r.To)
	compiled.column.NotNull = target.NotNull
	t.Belongs = append(t.Belongs, Belongs{
		At: len(t.columns), Relation: r, Related: related, Match: match, Missing: missing, Required: compiled.required,
	})
	t.add(compiled, target)
	return nil
}

// values are the list of a row, without blanks and repetitions; nil when the source lacks it.
func (m *Many) values(p *Program, r record, found *failures) []column.Value {
	f := &m.field
	cell, wrong, problem := f.transformed(r)
	switch {
	case wrong != nil:
		found.add(f.source, p.phrases.complaint(f, wrong))
		return nil
	case problem == "" && cell.State == column.Set:
		problem = column.Readable(cell.Text)
	}
	if problem != "" {
		found.add(f.source, p.phrases.problem(f, problem))
		return nil
	}
	if cell.State == column.Absent {
		return nil
	}
	list := []column.Value{}
	if cell.State == column.Null {
		return list
	}
	seen := map[string]bool{}
	for _, text := range listed(cell.Text, m.Relation.Separator) {
		if text = column.Trim(text); text == "" {
			continue
		}
		value, problem := f.convert(column.Value{Text: text, State: column.Set})
		if problem != "" {
			found.add(f.source, p.phrases.problem(f, problem))
			return nil
		}
		if value.State == column.Set && !seen[value.Text] {
			seen[value.Text] = true
			list = append(list, value)
		}
	}
	return list
}

// listed are the texts of a list: of a JSON list, as the transform split makes one, or what is between separators.
func listed(text, separator string) []string {
	if trimmed := column.Trim(text); strings.HasPrefix(trimmed, "[") {
		var items []any
		decoder := json.NewDecoder(strings.NewReader(trimmed))
		decoder.UseNumber()
		if decoder.Decode(&items) == nil && !decoder.More() {
			if texts, ok := scalars(items); ok {
				return texts
			}
		}
	}
	return strings.Split(text, separator)
}

func scalars(items []any) ([]string, bool) {
	texts := make([]string, 0, len(items))
	for _, item := range items {
		switch item := item.(type) {
		case nil:
		case string:
			texts = append(texts, item)
		case json.Number:
			texts = append(texts, item.String())
		default:
			return nil, false
		}
	}
	return texts, true
}
