package database

import (
	"strings"

	"ingest/shared/column"
)

// mysqlType says what a column's values must be: base is its type in a word, native the whole of it. A BOOLEAN is a
// tinyint(1) in the catalog, and only that.
func mysqlType(base, native string, length, precision, scale int) column.Type {
	t := column.Type{Kind: column.Other, Native: native, Unsigned: strings.Contains(native, "unsigned")}
	switch base {
	case "tinyint":
		t.Kind, t.Bits = column.Integer, 8
		if native == "tinyint(1)" {
			t.Kind, t.Bits = column.Boolean, 0
		}
	case "smallint":
		t.Kind, t.Bits = column.Integer, 16
	case "mediumint":
		t.Kind, t.Bits = column.Integer, 24
	case "int":
		t.Kind, t.Bits = column.Integer, 32
	case "bigint":
		t.Kind, t.Bits = column.Integer, 64
	case "decimal":
		t.Kind, t.Precision, t.Scale = column.Decimal, precision, scale
	case "float":
		t.Kind, t.Bits = column.Float, 32
	case "double":
		t.Kind = column.Float
	case "date":
		t.Kind = column.Date
	case "time":
		t.Kind = column.Time
	case "datetime":
		t.Kind = column.Datetime
	case "timestamp":
		t.Kind, t.Zone = column.Datetime, true
	case "char", "varchar":
		t.Kind, t.Length = column.Text, length
	case "tinytext", "text", "mediumtext", "longtext":
		t.Kind = column.Text
	case "json":
		t.Kind = column.JSON
	case "uuid":
		t.Kind = column.UUID
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		t.Kind = column.Bytes
	}
	if t.Kind != column.Integer {
		t.Unsigned = false
	}
	return t
}

// mysqlFold is what a collation holds equal, as far as it is known for certain.
func mysqlFold(collation string) column.Fold {
	switch {
	case collation == "", collation == "binary", strings.HasSuffix(collation, "_nopad_bin"), collation == "utf8mb4_0900_bin":
		return column.FoldExact
	case strings.HasSuffix(collation, "_bin"):
		return column.FoldRTrim
	default:
		return column.FoldUnknown
	}
}
