package database

import (
	"strings"

	"ingest/shared/column"
)

// UUIDComment is the comment of a char(36) column that holds UUIDs, for MySQL, which has no type for them.
const UUIDComment = "uuid"

// mysqlType says what a column's values must be: base is its type in a word, native the whole of it. A BOOLEAN is a
// tinyint(1) in the catalog, and only that. Times have their number of decimal places in the native type, because what Go has
// not rounded one server rounds and the other cuts.
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
	case "bit":
		t.Kind, t.Bits, t.Unsigned = column.Integer, precision, true
		if precision == 1 {
			t.Kind, t.Bits = column.Boolean, 0
		}
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
	switch t.Kind {
	case column.Integer:
		return t
	case column.Time, column.Datetime:
		if !strings.Contains(native, "(") {
			t.Native += "(0)"
		}
	default:
	}
	t.Unsigned = false
	return t
}

// mysqlFold is which values a column holds equal, as far as it is known for certain. Some are stored otherwise than they are
// written: filled up with zero bytes, or with fewer decimal places.
func mysqlFold(c column.Column) column.Fold {
	base, arguments, _ := strings.Cut(c.Type.Native, "(")
	switch {
	case base == "binary", base == "year", c.Type.Kind == column.Float && arguments != "":
		return column.FoldUnknown
	case c.Type.Kind == column.UUID, c.Collation == "", c.Collation == "binary":
		return column.FoldExact
	case base != "char" && (strings.HasSuffix(c.Collation, "_nopad_bin") || c.Collation == "utf8mb4_0900_bin"):
		return column.FoldExact
	case strings.HasSuffix(c.Collation, "_bin"):
		return column.FoldRTrim
	default:
		return column.FoldUnknown
	}
}
