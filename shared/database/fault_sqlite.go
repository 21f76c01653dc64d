package database

import (
	"regexp"
	"strconv"
	"strings"
)

// sqliteClass is what a primary result code means. Codes that are not here are UnknownFault.
var sqliteClass = map[int]struct {
	class Class
	kind  kind
}{
	18: {RowFault, tooLong}, 19: {RowFault, refused}, 20: {RowFault, refused},
	4: {TransientFault, conflict}, 5: {TransientFault, conflict}, 6: {TransientFault, conflict}, 7: {TransientFault, exhausted},
	9: {TransientFault, interrupted}, 10: {TransientFault, internal}, 13: {TransientFault, exhausted}, 15: {TransientFault, conflict},
	17: {TransientFault, conflict},
	1:  {FatalFault, statement}, 3: {FatalFault, cannotOpen}, 8: {FatalFault, readOnly}, 11: {FatalFault, damaged}, 14: {FatalFault, cannotOpen},
	23: {FatalFault, statement}, 25: {FatalFault, statement}, 26: {FatalFault, damaged},
}

// sqliteConstraint is what an extended code of SQLITE_CONSTRAINT means; the others are refused.
var sqliteConstraint = map[int]kind{
	275: check, 787: foreignKey, 1299: notNull, 1555: unique, 2067: unique, 2579: unique, 3091: refused,
}

// sqliteData are messages of SQLITE_ERROR that a value causes, in a CHECK, a trigger or a generated column.
var sqliteData = []string{"malformed JSON", "integer overflow", "string or blob too big", "JSON path error"}

var (
	sqliteFailed = regexp.MustCompile(`(?:UNIQUE|NOT NULL|CHECK) constraint failed: (.+?)(?: \(\d+\))?$`)
	sqliteStored = regexp.MustCompile(`cannot store \S+ value in \S+ column (.+?)(?: \(\d+\))?$`)
	sqliteCode   = regexp.MustCompile(` \(\d+\)$`)
)

func explainSQLite(code int, message string) Fault {
	known := sqliteClass[code&0xff]
	f := Fault{Class: known.class, Code: strconv.Itoa(code), kind: known.kind}
	switch code & 0xff {
	case 1:
		f.text = strings.TrimPrefix(sqliteCode.ReplaceAllString(message, ""), "SQL logic error: ")
		for _, text := range sqliteData {
			if strings.Contains(message, text) {
				return Fault{Class: RowFault, Code: f.Code, kind: refused}
			}
		}
	case 19:
		if kind, ok := sqliteConstraint[code]; ok {
			f.kind = kind
		}
		f.locate(message)
	}
	return f
}

// locate reads the table, columns or constraint from the message of a constraint.
func (f *Fault) locate(message string) {
	found := sqliteFailed.FindStringSubmatch(message)
	if found == nil {
		found = sqliteStored.FindStringSubmatch(message)
	}
	switch {
	case found == nil:
	case f.kind == check:
		f.Constraint = found[1]
	case strings.HasPrefix(found[1], "index '"):
		f.Constraint = strings.Trim(strings.TrimPrefix(found[1], "index "), "'")
	default:
		for _, part := range strings.Split(found[1], ", ") {
			table, column, ok := strings.Cut(part, ".")
			if !ok {
				continue
			}
			f.Table = table
			f.Columns = append(f.Columns, column)
		}
		if len(f.Columns) == 1 {
			f.Column = f.Columns[0]
		}
	}
}
