package database

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// postgresClass is what the code of an error, or else its first two characters, means. Codes that are not here are
// UnknownFault.
var postgresClass = map[string]struct {
	class Class
	kind  kind
}{
	"21": {RowFault, refused}, "22": {RowFault, refused}, "23": {RowFault, refused}, "44": {RowFault, refused},
	"P0": {RowFault, refused}, "0A": {RowFault, refused}, "54": {RowFault, refused}, "2F": {RowFault, refused},
	"38": {RowFault, refused}, "09": {RowFault, refused},
	"22001": {RowFault, tooLong}, "22003": {RowFault, outOfRange}, "22021": {RowFault, badText}, "22P05": {RowFault, badText},
	"23502": {RowFault, notNull}, "23503": {RowFault, foreignKey}, "23505": {RowFault, unique}, "23514": {RowFault, check},
	"23P01": {RowFault, check},

	"08": {TransientFault, unreachable}, "40": {TransientFault, conflict}, "53": {TransientFault, exhausted}, "57": {TransientFault, stopped},
	"58": {TransientFault, internal}, "XX": {TransientFault, internal}, "HV": {TransientFault, internal}, "26": {TransientFault, internal},
	"57014": {TransientFault, slow}, "55P03": {TransientFault, timeout}, "55006": {TransientFault, conflict},
	"25006": {TransientFault, readOnly}, "25P03": {TransientFault, stopped}, "25P04": {TransientFault, timeout},

	"28": {FatalFault, login}, "3D": {FatalFault, statement}, "3F": {FatalFault, statement}, "42": {FatalFault, statement},
	"55": {FatalFault, statement}, "F0": {FatalFault, internal}, "25": {FatalFault, statement}, "0L": {FatalFault, statement},
	"57P04": {FatalFault, statement}, "54011": {FatalFault, statement},
}

// copyLine finds the line, and the column if one is named, in the context of a COPY error, in any language.
var copyLine = regexp.MustCompile(`(?m)^COPY [^,\n]+, \S+ (\d+)(?:, \S+ ([^:\n]+))?`)

func explainPostgres(e *pgconn.PgError) Fault {
	f := Fault{Code: e.Code, Constraint: e.ConstraintName, Table: e.TableName, Column: e.ColumnName}
	known, ok := postgresClass[e.Code]
	if !ok && len(e.Code) == 5 {
		known = postgresClass[e.Code[:2]]
	}
	f.Class, f.kind = known.class, known.kind
	switch e.Routine {
	case "RevalidateCachedQuery":
		// Somebody altered the table under a prepared statement; the next attempt prepares it anew.
		f.Class, f.kind = TransientFault, conflict
	case "ExecWithCheckOptions":
		// A row-level security policy shares its code with missing rights, but it judges rows.
		f.Class, f.kind = RowFault, refused
	}
	if f.kind == statement {
		f.text = e.Message
	}
	if found := copyLine.FindStringSubmatch(e.Where); found != nil {
		f.Line, _ = strconv.ParseInt(found[1], 10, 64)
		if f.Column == "" {
			f.Column = strings.TrimSpace(found[2])
		}
	}
	return f
}
