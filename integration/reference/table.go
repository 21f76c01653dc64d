package reference

import (
	"fmt"
	"io"
	"sort"
	"strings"
)

// escapes keeps a row on one line.
var escapes = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)

// Table is the destination: what the engine's table must hold afterwards. Import into it as often as you like.
type Table struct {
	// Columns are the columns a row was ever written to, in field order.
	Columns []string

	rows  []map[string]*string
	byKey map[string]int
}

// NewTable returns an empty table for an importer.
func NewTable(i Importer) *Table {
	t := &Table{byKey: map[string]int{}}
	for _, field := range i.Fields {
		t.Columns = append(t.Columns, field.To)
	}
	return t
}

// Len is the number of rows.
func (t *Table) Len() int { return len(t.rows) }

// Lines returns the rows as canonical text, sorted: column=value for every column in the order of Columns, separated
// by tabs; NULL is \N. It is the form of rig.Dump.
func (t *Table) Lines() []string {
	lines := make([]string, 0, len(t.rows))
	for _, row := range t.rows {
		cells := make([]string, len(t.Columns))
		for n, column := range t.Columns {
			cells[n] = column + "=" + display(row[column])
		}
		lines = append(lines, strings.Join(cells, "\t"))
	}
	sort.Strings(lines)
	return lines
}

func display(value *string) string {
	if value == nil {
		return `\N`
	}
	return escapes.Replace(*value)
}

// Result is what became of a file.
type Result struct {
	Total     int64
	Created   int64
	Updated   int64
	Unchanged int64
	Skipped   int64
	Failed    int64
	// Errors counts failed rows by message, Validation the messages of fields by "column: message".
	Errors     map[string]int64
	Validation map[string]int64
	// Rows are the failed rows in file order.
	Rows []FailedRow
}

// FailedRow is one row that was not written.
type FailedRow struct {
	Number  int64
	Line    int
	Message string
	// Cells are the row as read, as many as the header has.
	Cells []string
}

// place is where a row stands in its file, and what stands there.
type place struct {
	number int64
	line   int
	cells  []string
}

func (r *Result) fail(at place, message string) {
	r.Failed++
	r.Errors[message]++
	r.Rows = append(r.Rows, FailedRow{Number: at.number, Line: at.line, Message: message, Cells: at.cells})
}

// Import applies the rows of a file one by one, in order. An error is a file the twin cannot read.
func (i Importer) Import(into *Table, file io.Reader) (Result, error) {
	result := Result{Errors: map[string]int64{}, Validation: map[string]int64{}}
	err := eachRow(file, func(number int64, line int, header, cells []string) {
		result.Total++
		at := place{number, line, make([]string, len(header))}
		copy(at.cells, cells)
		if message := shape(header, cells); message != "" {
			result.fail(at, message)
			return
		}
		source := map[string]string{}
		for n, name := range header {
			source[name] = cells[n]
		}
		if message := i.join(source, &result); message != "" {
			result.fail(at, message)
			return
		}
		if i.SkipColumn != "" && source[i.SkipColumn] == i.SkipText {
			result.Skipped++
			return
		}
		if message := i.validate(source, &result); message != "" {
			result.fail(at, message)
			return
		}
		values, message := i.values(source, &result)
		if message != "" {
			result.fail(at, message)
			return
		}
		i.write(into, values, at, &result)
	})
	if err != nil {
		return Result{}, fmt.Errorf("import with the twin: %w", err)
	}
	return result, nil
}

// shape is the message of a row whose cells do not fit the header, "" when they do.
func shape(header, cells []string) string {
	surplus := ""
	if len(cells) > len(header) {
		surplus = strings.Join(cells[len(header):], "")
	}
	if len(cells) < len(header) || surplus != "" {
		return fmt.Sprintf("The row has %d columns, the header has %d.", len(cells), len(header))
	}
	return ""
}

// join makes the joined columns; it returns the row's message when one of their parts is empty.
func (i Importer) join(source map[string]string, result *Result) string {
	for _, joined := range i.Joined {
		var parts []string
		for _, name := range joined.Of {
			if source[name] == "" {
				message := "The " + Words(joined.Column) + " field could not be computed: row." + name + " is NULL."
				result.Validation[joined.Column+": "+message]++
				return message
			}
			parts = append(parts, source[name])
		}
		source[joined.Column] = strings.Join(parts, "|")
	}
	return ""
}

// write applies one good row by the duplicate strategy.
func (i Importer) write(into *Table, values map[string]*string, from place, result *Result) {
	key, ok := i.key(values)
	at, exists := into.byKey[key]
	switch {
	case !ok:
		into.rows = append(into.rows, values)
		result.Created++
	case !exists:
		into.byKey[key] = len(into.rows)
		into.rows = append(into.rows, values)
		result.Created++
	case i.OnDuplicate == "fail":
		result.fail(from, "Duplicate entry found for key '"+strings.Join(i.Key, ", ")+"'.")
	case i.OnDuplicate == "update" || i.OnDuplicate == "upsert":
		changed := false
		for column, value := range values {
			if display(into.rows[at][column]) != display(value) {
				into.rows[at][column] = value
				changed = true
			}
		}
		if changed {
			result.Updated++
		} else {
			result.Unchanged++
		}
	default:
		result.Skipped++
	}
}

// key is the row's identity; false when it has none: no key, or a NULL in it.
func (i Importer) key(values map[string]*string) (string, bool) {
	var parts []string
	for _, source := range i.Key {
		for _, field := range i.Fields {
			if field.From == source {
				if values[field.To] == nil {
					return "", false
				}
				parts = append(parts, *values[field.To])
			}
		}
	}
	return strings.Join(parts, "\x00"), len(parts) > 0
}
