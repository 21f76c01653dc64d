package database

import (
	"fmt"
	"regexp"
)

// kind is what happened, finer than the class: it chooses the reason.
type kind int

const (
	unexplained kind = iota
	refused
	unique
	notNull
	foreignKey
	check
	tooLong
	outOfRange
	badText
	conflict
	timeout
	slow
	unreachable
	untrusted
	otherHost
	expired
	noTLS
	stopped
	exhausted
	internal
	interrupted
	rolledBack
	login
	statement
	readOnly
	noFile
	cannotOpen
	damaged
)

var reasons = map[kind]string{
	unexplained: "The database connection failed unexpectedly",
	conflict:    "The database is busy: another transaction is in the way",
	timeout:     "The database did not answer in time",
	slow:        "The database ended a statement that took too long",
	unreachable: "The database cannot be reached",
	untrusted:   "The certificate of the database is not trusted (see sslrootcert or ssl-ca)",
	otherHost:   "The certificate of the database is another host's",
	expired:     "The certificate of the database has expired, or is not valid yet",
	noTLS:       "The database does not speak TLS, which its URL demands",
	stopped:     "The database ended the session",
	exhausted:   "The database has no room or no connection left",
	internal:    "The database reported an internal error",
	interrupted: "The statement was interrupted",
	rolledBack:  "The database rolled the transaction back",
	login:       "The database refused the login",
	statement:   "The database refused the statement",
	readOnly:    "The database is read-only",
	noFile:      "The database file does not exist",
	cannotOpen:  "The database file cannot be opened",
	damaged:     "The database file is damaged or no database",
}

// words name the kinds of faults that pass, for metrics.
var words = map[kind]string{
	conflict: "conflict", timeout: "timeout", slow: "timeout", unreachable: "unreachable", untrusted: "certificate",
	otherHost: "certificate", expired: "certificate", noTLS: "certificate", stopped: "session_ended",
	exhausted: "exhausted", internal: "internal", rolledBack: "rolled_back", readOnly: "read_only",
	interrupted: "interrupted",
}

// Word names what happened in a word out of a few; "other" for what does not pass by itself.
func (f Fault) Word() string {
	if word := words[f.kind]; word != "" {
		return word
	}
	return "other"
}

// Unique says whether the row met another one in a unique constraint.
func (f Fault) Unique() bool { return f.kind == unique }

// NotNull says whether Column must not be NULL.
func (f Fault) NotNull() bool { return f.kind == notNull }

// ForeignKey says whether the row refers to another one that is not there, or is referred to.
func (f Fault) ForeignKey() bool { return f.kind == foreignKey }

// Checked says whether a CHECK or an exclusion constraint refused the row.
func (f Fault) Checked() bool { return f.kind == check }

// TooLong says whether a text was too long for its column.
func (f Fault) TooLong() bool { return f.kind == tooLong }

// OutOfRange says whether a number was too large for its column.
func (f Fault) OutOfRange() bool { return f.kind == outOfRange }

// Slow says whether the database ended the statement because it took too long, or because somebody asked it to.
func (f Fault) Slow() bool { return f.kind == slow }

// BadText says whether a text held a NUL character or bytes that are not in the database's encoding.
func (f Fault) BadText() bool { return f.kind == badText }

// Reason says what happened, for people, without SQL, values, addresses, paths or secrets.
func (f Fault) Reason() string {
	if f.Class == RowFault {
		return f.rowReason()
	}
	text := reasons[f.kind]
	if f.text != "" {
		text += ": " + f.text
	}
	if f.Code != "" {
		text += " (" + f.Code + ")"
	}
	return text + "."
}

// named is a name that can be shown: for a CHECK without one SQLite answers with its SQL.
var named = regexp.MustCompile(`^[\pL_][\pL\pN_$.]*$`)

func (f Fault) rowReason() string {
	switch {
	case f.kind == slow:
		return fmt.Sprintf("The database did not finish the row in time (%s).", f.Code)
	case f.kind == notNull && f.Column != "":
		return fmt.Sprintf("The %s field is required.", f.Column)
	case f.kind == unique && f.Column != "":
		return fmt.Sprintf("The %s has already been taken.", f.Column)
	case f.kind == foreignKey && f.Column != "":
		return fmt.Sprintf("The selected %s is invalid.", f.Column)
	case named.MatchString(f.Constraint):
		return fmt.Sprintf("The row violates '%s'.", f.Constraint)
	default:
		return fmt.Sprintf("The database refused the row (%s).", f.Code)
	}
}
