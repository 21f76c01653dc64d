package database

import (
	"strconv"
	"strings"

	"ingest/shared/column"
)

// sqliteType says what a declared type's values must be: the type people wrote decides, not only the affinity.
func sqliteType(declared string, strict bool) column.Type {
	name, arguments := typeName(declared)
	t := column.Type{Native: declared}
	has := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(name, part) {
				return true
			}
		}
		return false
	}
	switch {
	case strict && name == "ANY", name == "":
		t.Kind = column.Other
	case name == "UUID":
		t.Kind = column.UUID
	case name == "JSON" || name == "JSONB":
		t.Kind, t.Digits = column.JSON, 15
	case has("BOOL"):
		t.Kind = column.Boolean
	case name == "DATE":
		t.Kind = column.Date
	case has("DATETIME", "TIMESTAMP"):
		t.Kind = column.Datetime
		t.Zone = has("TIMESTAMPTZ", "WITH TIME ZONE") && !has("WITHOUT")
	case name == "TIME" || name == "TIME WITHOUT TIME ZONE":
		t.Kind = column.Time
	case has("INT") && !has("POINT", "INTERVAL"):
		t.Kind, t.Bits = column.Integer, 64
		switch {
		case name == "SMALLINT" || name == "INT2":
			t.Bits = 16
		case name == "INT4":
			t.Bits = 32
		}
	case has("CHAR", "CLOB", "TEXT"):
		t.Kind = column.Text
		if len(arguments) == 1 {
			t.Length = arguments[0]
		}
	case has("BLOB", "BYTEA", "BINARY"):
		t.Kind = column.Bytes
	case has("REAL", "FLOA", "DOUB"):
		t.Kind = column.Float
	case has("NUMERIC", "DEC", "NUMBER", "MONEY"):
		t.Kind, t.Digits = column.Decimal, 15
		if len(arguments) > 0 {
			t.Precision = arguments[0]
		}
		if len(arguments) > 1 {
			t.Scale = arguments[1]
		}
	default:
		t.Kind = column.Other
	}
	return t
}

// typeName splits "decimal (10, 2)" into "DECIMAL" and 10, 2.
func typeName(declared string) (name string, arguments []int) {
	name, inside, found := strings.Cut(strings.ToUpper(declared), "(")
	if found {
		inside, rest, _ := strings.Cut(inside, ")")
		name += " " + rest
		for _, text := range strings.Split(inside, ",") {
			n, err := strconv.Atoi(strings.TrimSpace(text))
			if err != nil || n < 0 {
				arguments = nil
				break
			}
			arguments = append(arguments, n)
		}
	}
	return strings.Join(strings.Fields(name), " "), arguments
}

func sqliteFold(collation string) column.Fold {
	switch strings.ToUpper(collation) {
	case "BINARY", "":
		return column.FoldExact
	case "NOCASE":
		return column.FoldNoCase
	case "RTRIM":
		return column.FoldRTrim
	default:
		return column.FoldUnknown
	}
}

// coarser is a fold under which both hold equal what either holds equal.
func coarser(a, b column.Fold) column.Fold {
	switch {
	case a == b || b == column.FoldExact:
		return a
	case a == column.FoldExact:
		return b
	default:
		return column.FoldUnknown
	}
}

// hasWord says whether the word occurs in SQL outside of quotes, names and comments.
func hasWord(source, word string) bool {
	var plain strings.Builder
	for i := 0; i < len(source); {
		n := opaque(source[i:])
		if n > 1 {
			plain.WriteByte(' ')
		} else {
			plain.WriteByte(source[i])
		}
		i += n
	}
	for _, found := range strings.FieldsFunc(strings.ToUpper(plain.String()), func(r rune) bool {
		return r != '_' && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}) {
		if found == word {
			return true
		}
	}
	return false
}
