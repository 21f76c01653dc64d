package importer

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"ingest/shared/importer/document"
)

// engineTables are never a destination: writing into the ledger would break every promise made with it.
var engineTables = []string{
	"ingest_runs", "ingest_partitions", "ingest_chunks", "ingest_schema", "ingest_dry_rows", "ingest_dry_forms", "ingest_locks", "ingest_staged",
	"ingest_present",
}

func checkTable(name string) error {
	parts := strings.Split(name, ".")
	if len(parts) > 2 {
		return fmt.Errorf("the table %q must be `table` or `schema.table`", name)
	}
	for _, part := range parts {
		if part == "" {
			return fmt.Errorf("the table %q must be `table` or `schema.table`", name)
		}
		if err := identifier("table", part); err != nil {
			return err
		}
	}
	if slices.Contains(engineTables, strings.ToLower(parts[len(parts)-1])) {
		return fmt.Errorf("the table %q belongs to the engine itself", name)
	}
	return nil
}

func identifier(what, name string) error {
	if len(name) > maxIdentifier {
		return fmt.Errorf("the %s name %q is longer than %d bytes", what, name, maxIdentifier)
	}
	if name == "" {
		return fmt.Errorf("the %s name must not be empty", what)
	}
	first, _ := utf8.DecodeRuneInString(name)
	last, _ := utf8.DecodeLastRuneInString(name)
	if unicode.IsSpace(first) || unicode.IsSpace(last) {
		return fmt.Errorf("the %s name %q begins or ends with a blank", what, name)
	}
	for _, r := range name {
		if unicode.IsControl(r) {
			return fmt.Errorf("the %s name %q contains %q", what, name, r)
		}
	}
	return nil
}

// tableName reads a table; it is empty after a problem.
func (p *parsing) tableName(n *document.Node, what string) string {
	return p.name(n, what, checkTable)
}

// columnName reads a column; it is empty after a problem.
func (p *parsing) columnName(n *document.Node, what string) string {
	return p.name(n, what, func(text string) error { return identifier("column", text) })
}

func (p *parsing) name(n *document.Node, what string, check func(string) error) string {
	text, ok := p.Filled(n, what)
	if !ok {
		return ""
	}
	if err := check(text); err != nil {
		p.Report(n, "", "%v", err)
		return ""
	}
	return text
}

// fillers are what fills the columns of one table.
type fillers map[string]filler

type filler struct {
	by   string
	line int
}

// target reads a column that is filled, which only one may do; it is empty after a problem.
func (p *parsing) target(n *document.Node, what, by string, filled fillers) string {
	column := p.columnName(n, what)
	if column == "" {
		return ""
	}
	before, twice := filled[column]
	if !twice {
		filled[column] = filler{by, n.Line}
		return column
	}
	who := before.by + " and " + by
	if before.by == by {
		who = "two " + strings.TrimPrefix(by, "a ") + "s"
	}
	p.Report(n, fmt.Sprintf("first in line %d", before.line), "the column %q is filled by %s", column, who)
	return ""
}
