package database

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// mysqlClass is what the number of an error means; what is not here is decided by mysqlState.
var mysqlClass = map[uint16]struct {
	class Class
	kind  kind
}{
	1048: {RowFault, notNull}, 1364: {RowFault, notNull}, 1062: {RowFault, unique}, 1586: {RowFault, unique}, 1022: {RowFault, unique},
	1216: {RowFault, foreignKey}, 1217: {RowFault, foreignKey}, 1451: {RowFault, foreignKey}, 1452: {RowFault, foreignKey},
	1761: {RowFault, foreignKey}, 1762: {RowFault, foreignKey},
	1264: {RowFault, outOfRange}, 1690: {RowFault, outOfRange}, 167: {RowFault, outOfRange}, 1406: {RowFault, tooLong},
	1265: {RowFault, refused}, 1292: {RowFault, refused}, 1366: {RowFault, refused}, 1411: {RowFault, refused}, 1365: {RowFault, refused},
	3819: {RowFault, check}, 4025: {RowFault, check}, 1644: {RowFault, refused}, 1369: {RowFault, refused},
	3140: {RowFault, refused}, 3141: {RowFault, refused}, 3156: {RowFault, refused}, 3157: {RowFault, refused}, 4038: {RowFault, refused},
	1526: {RowFault, refused}, 1748: {RowFault, refused}, 1416: {RowFault, refused}, 139: {RowFault, tooLong}, 1153: {RowFault, tooLong},
	3903: {RowFault, refused}, 1139: {RowFault, refused},

	1213: {TransientFault, conflict}, 1020: {TransientFault, conflict}, 1615: {TransientFault, conflict}, 1412: {TransientFault, conflict},
	1205: {TransientFault, timeout}, 1969: {TransientFault, slow}, 3024: {TransientFault, slow}, 1159: {TransientFault, timeout},
	1161: {TransientFault, timeout},
	1040: {TransientFault, exhausted}, 1203: {TransientFault, exhausted}, 1226: {TransientFault, exhausted}, 1114: {TransientFault, exhausted},
	1021: {TransientFault, exhausted}, 1037: {TransientFault, exhausted}, 1038: {TransientFault, exhausted}, 1041: {TransientFault, exhausted},
	// The server's own files.
	1: {TransientFault, internal}, 2: {TransientFault, internal}, 4: {TransientFault, internal}, 5: {TransientFault, exhausted},
	6: {TransientFault, internal}, 7: {TransientFault, internal}, 9: {TransientFault, internal}, 10: {TransientFault, internal},
	23: {TransientFault, exhausted}, 29: {TransientFault, internal},
	3: {TransientFault, exhausted}, 1026: {TransientFault, exhausted},
	1053: {TransientFault, stopped}, 1927: {TransientFault, stopped}, 1317: {TransientFault, stopped}, 4031: {TransientFault, stopped},
	1152: {TransientFault, unreachable}, 1158: {TransientFault, unreachable}, 1160: {TransientFault, unreachable}, 1184: {TransientFault, unreachable},
	1047: {TransientFault, unreachable},
	1030: {TransientFault, internal}, 1180: {TransientFault, internal}, 1181: {TransientFault, internal}, 1815: {TransientFault, internal},
	1290: {TransientFault, readOnly}, 1792: {TransientFault, readOnly}, 1836: {TransientFault, readOnly}, 1036: {TransientFault, readOnly},

	1045: {FatalFault, login}, 1044: {FatalFault, login}, 1130: {FatalFault, login}, 1129: {FatalFault, login}, 1251: {FatalFault, login},
	1698: {FatalFault, login}, 1862: {FatalFault, login}, 1820: {FatalFault, login},
	1049: {FatalFault, statement}, 1054: {FatalFault, statement}, 1146: {FatalFault, statement}, 1142: {FatalFault, statement},
	1143: {FatalFault, statement}, 1227: {FatalFault, statement}, 1370: {FatalFault, statement},
	1034: {FatalFault, damaged}, 1194: {FatalFault, damaged}, 1195: {FatalFault, damaged}, 126: {FatalFault, damaged},
}

// mysqlState is what the first two characters of a SQLSTATE mean.
var mysqlState = map[string]struct {
	class Class
	kind  kind
}{
	"21": {RowFault, refused}, "22": {RowFault, refused}, "23": {RowFault, refused}, "44": {RowFault, refused}, "45": {RowFault, refused},
	"40": {TransientFault, conflict}, "08": {TransientFault, unreachable}, "70": {TransientFault, stopped},
	"28": {FatalFault, login}, "42": {FatalFault, statement}, "3D": {FatalFault, statement}, "0A": {FatalFault, statement},
}

// mysqlNames are the errors of a statement whose message names only tables, columns and rights; others quote the statement.
var mysqlNames = map[uint16]bool{1049: true, 1054: true, 1146: true, 1142: true, 1143: true, 1227: true, 1370: true}

// A value can hold the words around a name, but it comes before them, and these look for the last.
var (
	mysqlAtRow    = regexp.MustCompile(`(?s)^.*for column (.+) at row (\d+)$`)
	mysqlColumn   = regexp.MustCompile(`^(?:Column|Field) '(.+)' (?:cannot be null|doesn't have a default value)`)
	mysqlKey      = regexp.MustCompile(`(?s)^.*for key '(.+)'$`)
	mysqlForeign  = regexp.MustCompile("\\([`\"][^`\"]*[`\"]\\.[`\"]([^`\"]*)[`\"], CONSTRAINT [`\"]([^`\"]*)[`\"] FOREIGN KEY \\(([^)]*)\\)")
	mysqlCheck    = regexp.MustCompile("(?:CONSTRAINT [`\"]([^`\"]*)[`\"] failed|Check constraint '([^']*)')")
	mysqlTo       = regexp.MustCompile(` (?:to|for) user '[^']*'@'[^']*'| in '[A-Z ]*'$`)
	mysqlBacktick = strings.NewReplacer("`", "", "'", "", `"`, "")
)

func explainMySQL(e *mysql.MySQLError) Fault {
	known, ok := mysqlClass[e.Number]
	if !ok {
		known = mysqlState[string(e.SQLState[:2])]
	}
	if e.Number == 1105 && strings.Contains(e.Message, "max_allowed_packet") {
		return Fault{Class: RowFault, Code: "1153", kind: tooLong} // an argument that has a packet of its own
	}
	f := Fault{Class: known.class, Code: strconv.Itoa(int(e.Number)), kind: known.kind}
	if mysqlNames[e.Number] {
		f.text = mysqlTo.ReplaceAllString(e.Message, "")
	}
	if f.Class != RowFault {
		return f
	}
	if found := mysqlAtRow.FindStringSubmatch(e.Message); found != nil {
		// `database`.`table`.`column` or 'column'
		parts := strings.Split(found[1], "`.`")
		f.Column = mysqlBacktick.Replace(parts[len(parts)-1])
		f.Line, _ = strconv.ParseInt(found[2], 10, 64)
	}
	switch f.kind {
	case notNull:
		if found := mysqlColumn.FindStringSubmatch(e.Message); found != nil {
			f.Column = found[1]
		}
	case unique:
		if found := mysqlKey.FindStringSubmatch(e.Message); found != nil {
			// MySQL names the table before the key, MariaDB does not.
			f.Constraint = found[1][strings.LastIndexByte(found[1], '.')+1:]
		}
	case foreignKey:
		if found := mysqlForeign.FindStringSubmatch(e.Message); found != nil {
			f.Table, f.Constraint = found[1], found[2]
			if e.Number == 1452 || e.Number == 1216 {
				f.Columns = strings.Split(mysqlBacktick.Replace(found[3]), ", ")
			}
			if len(f.Columns) == 1 {
				f.Column = f.Columns[0]
			}
		}
	case check:
		if found := mysqlCheck.FindStringSubmatch(e.Message); found != nil {
			f.Constraint = found[1] + found[2]
		}
	default:
	}
	return f
}

// mysqlBroken says whether the driver's own error is a lost connection, or a statement that the server would not have taken.
func mysqlBroken(err error) (Fault, bool) {
	switch {
	case errors.Is(err, mysql.ErrPktTooLarge):
		return Fault{Class: RowFault, Code: "1153", kind: tooLong}, true
	case errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, mysql.ErrMalformPkt), errors.Is(err, mysql.ErrPktSync), errors.Is(err, mysql.ErrBusyBuffer):
		return Fault{Class: TransientFault, kind: unreachable}, true
	}
	return Fault{}, false
}
