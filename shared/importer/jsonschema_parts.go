package importer

import (
	"maps"
	"slices"
)

// The keys of the parts of an importer, for JSONSchema.

func sourceSchema(l Language) table {
	s := object("Where the bytes come from.", table{
		"type": choice("filesystem (default): a file where it lies; upload: the file comes with the request.", Filesystem, Upload),
		"path": text("The file, within one of the configured roots; run --file replaces it."),
	})
	s["not"] = table{"required": []string{"path", "type"}, "properties": table{"type": table{"const": Upload}}}
	return orOwn(s, l.Sources)
}

// orOwn is the table of a type that every program has, or that of an extension: the type, its options, and what each has.
func orOwn(s table, own map[string][]string, each ...string) table {
	if len(own) == 0 {
		return s
	}
	all := []any{s}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		keys := table{typeKey: table{"const": name}}
		for _, key := range each {
			keys[key] = s["properties"].(table)[key]
		}
		for _, option := range own[name] {
			keys[option] = table{}
		}
		all = append(all, object("", keys, typeKey))
	}
	return table{"description": s["description"], "anyOf": all}
}

func formatSchema(l Language) table {
	s := object("How bytes become rows.", table{
		"type":      choice("csv, the default.", "csv"),
		"delimiter": table{"type": []string{"string", "integer"}, "minLength": 1, "maxLength": 1, "description": `One character, a tab as "\t"; default: what the file's line sep= says, else a comma.`},
		"nulls": table{
			"description": `The texts that mean NULL; default [""].`,
			"anyOf":       []any{nullableText(), array(nullableText())},
		},
		"short_rows": choice("A row with fewer cells than the header: fail (default) fails it, pad leaves the cells out.", "fail", "pad"),
		"max_record": table{
			"type": []string{"string", "integer"}, "pattern": `^\s*[0-9]+\s*([KMG]iB)?\s*$`, "minimum": 1, "maximum": maxMaxRecord,
			"description": "Greatest size of a row, like 64KiB; default 8MiB.",
		},
	})
	return orOwn(s, l.Formats, engineKeys[1:]...)
}

// nullableText is text that may be spelled like YAML's null.
func nullableText() table { return table{"type": []string{"string", "number", "boolean", "null"}} }

func destinationSchema() table {
	return object("Where the rows go.", table{
		"connection":   text("A connection of the configuration; default default."),
		"table":        tableSchema("table or schema.table."),
		"create_table": flag("Makes a missing table before the first row; default true for SQLite, false elsewhere."),
		"timestamps":   flag("Sets created_at and updated_at to the time the run began."),
		"unique_index": flag("false: the key need not have a unique index in the table; chunks that write it go one after the other. Default true."),
	})
}

func tableSchema(about string) table {
	return described(about, table{"type": []string{"string", "integer"}, "pattern": `^[^.]+(\.[^.]+)?$`})
}

func columnSchema(about string) table {
	return described(about, table{"type": []string{"string", "number", "boolean"}, "minLength": 1, "maxLength": maxIdentifier})
}

func compareSchema() table {
	return object("What update_if_newer compares.", table{
		"source": text("The source column with a time."), "column": columnSchema("The column of the table with one."),
	}, "source", "column")
}

func fieldSchema() table {
	f := object("", table{
		"from":      texts("The source column, or a list: the primary name and its aliases."),
		"const":     text("Instead of from: the text of every row."),
		"expr":      text("Instead of from: an expression."),
		"when":      text("A condition; a row for which it is false leaves the column out."),
		"to":        columnSchema("The column of the table."),
		"type":      typeSchema("Only for making the table; default text."),
		"transform": described("A transform or a list, applied in order before the value is converted.", reference("transforms")),
		"validate":  described("A field validator or a list: what the value must be after the transforms.", reference("validators")),
	}, "to")
	f["oneOf"] = []any{need("from"), need("const"), need("expr")}
	return f
}

func need(keys ...string) table { return table{"required": keys} }

func typeSchema(about string) table {
	return described(about, table{"anyOf": []any{table{"enum": columnTypes}, table{"type": "string", "pattern": decimalPattern.String()}}})
}

func relationSchema() table {
	r := object("", table{
		"from":              texts("The source column, or a list with its aliases."),
		"to":                columnSchema("The column that is filled with the key of the row that is found."),
		"table":             tableSchema("Where rows are looked for."),
		"match":             columnSchema("Its column that has the value."),
		"key":               columnSchema("Its column whose value goes into to; default: what a foreign key says, else the primary key."),
		"many":              described("Instead of to, table, match and key: the cell is a list, joined by a pivot table.", reference("many")),
		"transform":         described("A transform or a list, applied in order before anything is looked for.", reference("transforms")),
		"create_if_missing": flag("A value that no row has makes one."),
		// YAML takes a bare null for none.
		"on_missing": table{
			"description": "A value that no row has: fail (default), null with to, ignore with many.",
			"enum":        []any{MissingFail, MissingNull, MissingIgnore, nil},
		},
		"sync": choice("With many, rows of the pivot table that the list does not name: attach (default) keeps, replace removes them.", SyncAttach, SyncReplace),
	}, "from")
	missing := func(choices ...any) table { return table{"on_missing": table{"enum": choices}} }
	r["oneOf"] = []any{
		table{
			"required": []string{"to", "table", "match"}, "properties": missing(MissingFail, MissingNull, nil),
			"not": table{"anyOf": []any{need("many"), need("sync")}},
		},
		table{
			"required": []string{"many"}, "properties": missing(MissingFail, MissingIgnore),
			"not": table{"anyOf": []any{need("to"), need("table"), need("match"), need("key")}},
		},
	}
	return r
}

func manySchema() table {
	return object("", table{
		"table":     tableSchema("Where rows are looked for."),
		"match":     columnSchema("Its column that has the texts."),
		"key":       columnSchema("Its column that the pivot table refers to; default: what a foreign key says, else the primary key."),
		"pivot":     tableSchema("The table that joins both."),
		"own":       columnSchema("Its column for the row of the file; default: what its foreign keys say."),
		"other":     columnSchema("Its column for the row that is found; default: what its foreign keys say."),
		"separator": table{"type": []string{"string", "number", "boolean"}, "minLength": 1, "description": "What stands between the texts; default a comma."},
	}, "table", "match", "pivot")
}

func nestedSchema() table {
	n := object("", table{
		"from":      texts("The source column that holds a list of objects (JSON), or a list with its aliases."),
		"table":     tableSchema("Where the objects go."),
		"parent":    columnSchema("Its column for the key of the row that the list belongs to."),
		"key":       texts("Keys of the objects that tell those of one row apart; without it every object is inserted."),
		"fields":    list("What goes where; from names keys of the objects.", reference("field")),
		"relations": list("What of the objects is found in other tables.", reference("relation")),
	}, "from", "table", "parent")
	n["anyOf"] = []any{need("fields"), need("relations")}
	return n
}

func missingSchema() table {
	set := keyed("Values for columns of the table.", nullableText())
	set["minProperties"] = 1
	return table{
		"description": "Rows of the table that the file no longer has: keep (default), delete, or set columns of them. Needs key and transaction: run.",
		"anyOf":       []any{choice("", missingKeep, missingDelete), object("", table{"set": set}, "set")},
	}
}

func shortSchema() table {
	return object("", table{
		"type":     choice("The rule for its type.", schemaNames...),
		"required": flag("A blank cell fails the row."),
		"min":      texts("The rule min."),
		"max":      texts("The rule max."),
		"in":       texts("The rule in."),
		"regex":    texts("The rule regex."),
		"format":   text("The rule date_format, in place of date."),
	})
}

func choiceSchema() table {
	return object("", table{
		"when": text("A condition."), "table": tableSchema("The table of rows for which it is true."),
	}, "when", "table")
}

func paramsSchema() table {
	one := object("", table{
		"default":  text("What counts when none is given; left out it is NULL."),
		"required": flag("A run that is not given one is refused."),
	})
	one["not"] = table{"required": []string{"default", "required"}, "properties": table{"required": table{"const": true}}}
	p := keyed("What a run may be given.", table{"anyOf": []any{table{"type": "null"}, one}})
	p["propertyNames"] = table{"pattern": paramPattern.String()}
	return p
}

func useSchema() table {
	one := table{"anyOf": []any{table{"type": "string"}, object("", table{
		"mapping":   slug("Name of the mapping."),
		"prefix":    text("What is put, with a dot, before its source columns."),
		"to_prefix": text("What is put before the columns it fills."),
	}, "mapping")}}
	return table{"description": "Mappings that several importers share.", "anyOf": []any{one, array(one)}}
}
