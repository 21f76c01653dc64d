// Package reference is the dumb twin of the engine: it imports a file row by row into a Go map.
//
// Tests use it as the oracle for tables, counts, histograms and failed rows. It shares no code with the engine – not a
// rule, not a conversion, not the CSV reader – and is slow and plain on purpose. It knows what the tests need: text,
// integer, decimal and float columns without NOT NULL, columns joined of others, skipped rows, the transforms trim,
// lower, upper and default, a handful of rules, and the four duplicate strategies. It reads with encoding/csv, so that
// test files must not hold CRLF inside quotes, quoted blank rows or broken quotes.
package reference

import (
	"fmt"
	"strconv"
	"strings"
)

// Importer says how to import: what a definition's YAML says, as far as the twin knows it.
type Importer struct {
	Slug  string
	Path  string
	Table string
	// Connection is left out of the YAML when empty.
	Connection string
	// Key are source columns; none = every row is inserted.
	Key []string
	// OnDuplicate is skip, update, upsert or fail; empty = skip.
	OnDuplicate string
	Fields      []Field
	Rules       []Rule
	// Joined are columns that before_row makes; rows in which the column SkipColumn is SkipText are skipped.
	Joined     []Joined
	SkipColumn string
	SkipText   string
	// CreateTable asks for the table to be made.
	CreateTable bool
	// ChunkSize and Partitions are left out of the YAML when 0. The result must not depend on them.
	ChunkSize  int
	Partitions int
	// RowsPerSecond is max_rows_per_second, left out when 0: a run that is to be met in its middle cannot be over sooner.
	RowsPerSecond int
	// Transaction is left out of the YAML when empty. The twin knows row by row only, which is the same when no row fails.
	Transaction string
}

// Field maps a source column to a column of the table.
type Field struct {
	From string
	To   string
	// Type is text, integer, bigint, float or decimal(p,s); empty = text.
	Type string
	// Transform are steps: trim, lower, upper, default:VALUE.
	Transform []string
}

// Joined is a column made of others with | between them.
type Joined struct {
	Column string
	Of     []string
}

// Rule are the rules of a source column: "required|integer".
type Rule struct {
	Column string
	Rules  string
}

// YAML is the same importer as the engine reads it.
func (i Importer) YAML() string {
	var y strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&y, format+"\n", args...) }
	line("importer: %s", i.Slug)
	line("source: {type: filesystem, path: %s}", strconv.Quote(i.Path))
	line("format: {type: csv}")
	destination := "table: " + i.Table
	if i.Connection != "" {
		destination = "connection: " + i.Connection + ", " + destination
	}
	line("destination: {%s, create_table: %t}", destination, i.CreateTable)
	if len(i.Key) > 0 {
		line("key: [%s]", quoted(i.Key))
	}
	if i.OnDuplicate != "" {
		line("on_duplicate: %s", i.OnDuplicate)
	}
	if i.ChunkSize > 0 {
		line("chunk_size: %d", i.ChunkSize)
	}
	if i.Partitions > 0 {
		line("partitions: %d", i.Partitions)
	}
	if i.RowsPerSecond > 0 {
		line("max_rows_per_second: %d", i.RowsPerSecond)
	}
	if i.Transaction != "" {
		line("transaction: %s", i.Transaction)
	}
	if len(i.Joined) > 0 {
		line("before_row:")
	}
	for _, joined := range i.Joined {
		line("  - '%s = row[%s]'", joined.Column, strings.ReplaceAll(quoted(joined.Of), ", ", `] + "|" + row[`))
	}
	if i.SkipColumn != "" {
		line("skip_when: 'row.%s == %q'", i.SkipColumn, i.SkipText)
	}
	line("fields:")
	for _, field := range i.Fields {
		line("  - {from: %s, to: %s, type: %s%s}", strconv.Quote(field.From), field.To, strconv.Quote(field.kind()), field.steps())
	}
	if len(i.Rules) > 0 {
		line("rules:")
	}
	for _, rule := range i.Rules {
		line("  %s: %s", strconv.Quote(rule.Column), strconv.Quote(rule.Rules))
	}
	return y.String()
}

func (f Field) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

func (f Field) steps() string {
	if len(f.Transform) == 0 {
		return ""
	}
	steps := make([]string, len(f.Transform))
	for n, step := range f.Transform {
		name, value, has := strings.Cut(step, ":")
		steps[n] = name
		if has {
			steps[n] = fmt.Sprintf("{%s: {value: %s}}", name, strconv.Quote(value))
		}
	}
	return ", transform: [" + strings.Join(steps, ", ") + "]"
}

func quoted(texts []string) string {
	all := make([]string, len(texts))
	for n, text := range texts {
		all[n] = strconv.Quote(text)
	}
	return strings.Join(all, ", ")
}
