package importer

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"ingest/shared/column"
)

// columnTypes are the names a field's type can have; they are also what a hint proposes.
var columnTypes = []string{"text", "integer", "bigint", "decimal", "float", "boolean", "date", "datetime", "json", "uuid"}

var decimalPattern = regexp.MustCompile(`^decimal\s*\(\s*(\d{1,4})\s*(?:,\s*(\d{1,4})\s*)?\)$`)

// maxPrecision is the most digits every supported database can declare.
const maxPrecision = 1000

// ColumnType reads a field's `type`. Native stays empty: the database that creates the column names it. The error
// lists the types there are.
func ColumnType(text string) (column.Type, error) {
	switch text {
	case "text":
		return column.Type{Kind: column.Text}, nil
	case "integer":
		return column.Type{Kind: column.Integer, Bits: 32}, nil
	case "bigint":
		return column.Type{Kind: column.Integer, Bits: 64}, nil
	case "decimal":
		return column.Type{Kind: column.Decimal}, nil
	case "float":
		return column.Type{Kind: column.Float}, nil
	case "boolean":
		return column.Type{Kind: column.Boolean}, nil
	case "date":
		return column.Type{Kind: column.Date}, nil
	case "datetime":
		return column.Type{Kind: column.Datetime}, nil
	case "json":
		return column.Type{Kind: column.JSON}, nil
	case "uuid":
		return column.Type{Kind: column.UUID}, nil
	}
	if m := decimalPattern.FindStringSubmatch(text); m != nil {
		precision, _ := strconv.Atoi(m[1])
		scale, _ := strconv.Atoi(m[2])
		if precision < 1 || precision > maxPrecision || scale > precision {
			return column.Type{}, fmt.Errorf("decimal(p,s) needs 1 to %d digits, no more than all of them behind "+
				"the point, not %q", maxPrecision, text)
		}
		return column.Type{Kind: column.Decimal, Precision: precision, Scale: scale}, nil
	}
	return column.Type{}, fmt.Errorf("unknown type %q, the types are: %s", text,
		strings.Replace(strings.Join(columnTypes, ", "), "decimal", "decimal(p,s)", 1))
}
