package database

import (
	"encoding/json"
	"fmt"

	"ingest/shared/column"
)

// postgresType says what a type's values must be: native is for casts, base the name of what a domain stands for,
// modifier its length or precision (-1 = none).
func postgresType(native, base string, modifier int32) column.Type {
	t := column.Type{Kind: column.Other, Native: native}
	switch base {
	case "text", "citext", "name":
		t.Kind = column.Text
		if base == "name" {
			t.Length = 63
		}
	case "varchar", "bpchar":
		t.Kind = column.Text
		if modifier >= 4 {
			t.Length = int(modifier) - 4
		}
	case "int2":
		t.Kind, t.Bits = column.Integer, 16
	case "int4":
		t.Kind, t.Bits = column.Integer, 32
	case "int8":
		t.Kind, t.Bits = column.Integer, 64
	case "numeric":
		t.Kind = column.Decimal
		if modifier >= 4 {
			packed := modifier - 4
			t.Precision = int(packed >> 16 & 0xffff)
			// The scale is a signed number of eleven bits since PostgreSQL 15.
			t.Scale = int(packed&0x7ff^1024) - 1024
		}
	case "float4":
		t.Kind, t.Bits = column.Float, 32
	case "float8":
		t.Kind = column.Float
	case "bool":
		t.Kind = column.Boolean
	case "date":
		t.Kind = column.Date
	case "time":
		t.Kind = column.Time
	case "timestamp":
		t.Kind = column.Datetime
	case "timestamptz":
		t.Kind, t.Zone = column.Datetime, true
	case "uuid":
		t.Kind = column.UUID
	case "json", "jsonb":
		t.Kind = column.JSON
	case "bytea":
		t.Kind = column.Bytes
	}
	return t
}

func decode(text string, into any) error {
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("read the catalog: %w", err)
	}
	return nil
}
