package destination

import (
	"fmt"
	"strings"

	"ingest/shared/column"
	"ingest/shared/importer"
)

// MissingIndex returns nil if the table has a unique index over exactly the columns of the key, else an error for
// people with the statement that helps. The quote function makes a name an identifier.
func MissingIndex(t column.Table, key []string, quote func(string) string) error {
	return missingIndex(t, key, quote, "")
}

// MissingKeyIndex is MissingIndex for the key of an importer, and says that it can do without; nil for one that does.
func MissingKeyIndex(d importer.Destination, t column.Table, key []string, quote func(string) string) error {
	if d.NoUniqueIndex {
		return nil
	}
	return missingIndex(t, key, quote, " (or `unique_index: false` under `destination`)")
}

func missingIndex(t column.Table, key []string, quote func(string) string, instead string) error {
	if len(key) == 0 {
		return nil
	}
	if _, ok := t.UniqueOn(key); ok {
		return nil
	}
	names := make([]string, len(key))
	for i, name := range key {
		names[i] = quote(name)
	}
	return fmt.Errorf("the key '%s' needs a unique index in the table '%s'%s: CREATE UNIQUE INDEX %s ON %s (%s)",
		strings.Join(key, ", "), t.Name, instead, quote(indexName(t.Name, key)), quoted(t, quote), strings.Join(names, ", "))
}

// indexName is <table>_<columns>_key, cut to what every database allows.
func indexName(table string, columns []string) string {
	const longest = 63
	name := table + "_" + strings.Join(columns, "_") + "_key"
	if len(name) <= longest {
		return name
	}
	return strings.ToValidUTF8(name[:longest-len("_key")], "") + "_key"
}
