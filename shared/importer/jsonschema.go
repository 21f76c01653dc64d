package importer

import (
	"maps"
	"slices"
)

// Language are the names of rules, transforms and validators that a schema offers, the latter two with their options.
type Language struct {
	Rules                  []string
	Transforms, Validators map[string][]string
	// Formats and Sources are those that the program was extended by, with their options.
	Formats, Sources map[string][]string
}

// JSONSchema describes the file of an importer to editors, as JSON Schema 2020-12. It knows every key that Parse takes and
// no other. What it accepts may still be refused: it cannot see what names columns and files, and names beside those of
// the language are let pass, for programs that have more. Nothing but the name is required, because all else may stand in
// the defaults of the directory. What the caller gets is its own.
func JSONSchema(l Language) map[string]any {
	s := object("An importer: where rows come from, what they must look like and which table they go to.", table{
		"importer":            slug("The name: lower-case letters, digits, - and _. Unique in the directory."),
		"source":              sourceSchema(l),
		"format":              formatSchema(l),
		"destination":         destinationSchema(),
		"key":                 texts("The source columns that identify a row, each mapped by a field. Without a key every row is inserted."),
		"on_duplicate":        choice("What happens to a row whose key is in the table; default skip.", Skip, Update, Upsert, Fail, UpdateIfNewer),
		"compare":             compareSchema(),
		"chunk_size":          number("Rows per chunk; default from the configuration.", MaxChunkSize),
		"partitions":          number("Exactly that many ordered lanes; default by size.", MaxPartitions),
		"max_parallel":        number("At most that many ordered lanes, however large the source is.", MaxPartitions),
		"max_rows_per_second": number("At most so many rows a second, over all runs of the importer and all workers.", MaxRowsPerSecond),
		"transaction":         choice("row (default): a bad row fails alone; chunk: it fails its whole chunk; run: it fails the run, all or nothing.", "row", TransactionChunk, TransactionRun),
		"missing":             missingSchema(),
		"strict_headers":      flag("Every column that a field maps must be in the header."),
		"unmapped":            choice("What happens to columns that no field maps: ignore (default), or pass them into columns of the same name.", UnmappedIgnore, UnmappedPass),
		"max_failed_rows":     table{"type": "integer", "minimum": 0, "description": "More failed rows than this stop the run as failed."},
		"max_failed_ratio":    table{"type": "number", "minimum": 0, "maximum": 1, "description": "A greater share of failed rows than this fails the run at its end; 0 is off."},
		"timezone":            text("Where a time without a zone is, like Europe/Berlin; default UTC."),
		"overlap":             choice("What happens to a run while another one of the importer is not over; default allow.", "allow", OverlapRefuse, OverlapWait),
		"if_unchanged":        choice("What happens when the source is that of the last completed run; default import.", "import", "skip"),
		"independent_rows":    flag("Several partitions although rows with different keys can meet."),
		"fields":              list("What goes where.", reference("field")),
		"relations":           list("Columns and rows of pivot tables that are found in other tables.", reference("relation")),
		"nested":              list("Lists within a row that become rows of other tables.", nestedSchema()),
		"rules":               keyed("What the cells must look like, by source column.", reference("rules")),
		"schema":              keyed("Rules in short form, by source column.", shortSchema()),
		"messages":            keyed("Own messages, by the name of a rule or COLUMN.RULE.", text("")),
		"attributes":          keyed("What messages call source columns.", text("")),
		"before_row":          texts("Source columns made of others before anything else: COLUMN = EXPRESSION."),
		"skip_when":           text("A condition: rows for which it is true count as skipped."),
		"table_when":          list("Other tables for some rows; the first condition that is true counts.", choiceSchema()),
		"params":              paramsSchema(),
		"use":                 useSchema(),
	}, "importer")
	s["$schema"], s["title"] = "https://json-schema.org/draft/2020-12/schema", "ingest importer"
	s["$defs"] = table{
		"field": fieldSchema(), "relation": relationSchema(), "many": manySchema(),
		"rules":      table{"anyOf": []any{ruleSchema(l), array(ruleSchema(l))}},
		"transforms": named(l.Transforms), "validators": named(l.Validators),
	}
	return s
}

// table is a part of a schema.
type table = map[string]any

func described(about string, t table) table {
	if about != "" {
		t["description"] = about
	}
	return t
}

// object is a table with exactly these keys.
func object(about string, keys table, required ...string) table {
	o := described(about, table{"type": "object", "properties": keys, "additionalProperties": false})
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

// keyed is a table whose keys are anybody's.
func keyed(about string, of table) table {
	return described(about, table{"type": "object", "additionalProperties": of})
}

// text is what stands in the file, whatever YAML takes it for.
func text(about string) table {
	return described(about, table{"type": []string{"string", "number", "boolean"}})
}

func slug(about string) table {
	return described(about, table{"type": []string{"string", "integer"}, "pattern": slugPattern.String()})
}

func texts(about string) table {
	return described(about, table{"anyOf": []any{text(""), array(text(""))}})
}

func array(of table) table { return table{"type": "array", "items": of} }

func list(about string, of table) table {
	a := described(about, array(of))
	a["minItems"] = 1
	return a
}

func choice[T ~string](about string, choices ...T) table {
	return described(about, table{"enum": choices})
}

// number is a whole number from 1 on.
func number(about string, most int) table {
	return described(about, table{"type": "integer", "minimum": 1, "maximum": most})
}

func flag(about string) table { return described(about, table{"type": "boolean"}) }

func reference(to string) table { return table{"$ref": "#/$defs/" + to} }

// named offers names, alone or with options, one or several. A single value is short for the first option; names that
// nobody here knows may have any.
func named(names map[string][]string) table {
	properties := table{}
	for name, options := range names {
		keys := table{}
		for _, option := range options {
			keys[option] = table{}
		}
		properties[name] = table{"anyOf": []any{
			table{"type": []string{"string", "number", "boolean", "null"}}, array(table{}), object("", keys),
		}}
	}
	one := table{"anyOf": []any{
		suggested(slices.Sorted(maps.Keys(names))),
		table{"type": "object", "properties": properties, "additionalProperties": true, "minProperties": 1, "maxProperties": 1},
	}}
	return table{"anyOf": []any{one, array(one)}}
}

// suggested is a text, best one of these.
func suggested(names []string) table {
	return table{"type": "string", "minLength": 1, "anyOf": []any{table{"enum": names}, table{}}}
}

func ruleSchema(l Language) table { return suggested(l.Rules) }
