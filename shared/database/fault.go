package database

import (
	"context"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
)

// Class says whose fault an error is and therefore what to do about it.
type Class int

// The classes.
const (
	// UnknownFault is no error of a database, or none that the tables know.
	UnknownFault Class = iota
	// RowFault is a row's: isolate it, the others go on.
	RowFault
	// TransientFault goes away by itself: roll back, drop the connection, try again; never counted against rows.
	TransientFault
	// FatalFault stays until somebody changes something: stop the run with the reason.
	FatalFault
)

// Fault is what an error of a database means.
type Fault struct {
	Class Class
	// Code is the SQLSTATE, or in decimal the number of MySQL's error or SQLite's extended result code; empty when the database
	// gave none.
	Code string
	// Constraint, Table and Column name what refused, where the database says it. Columns are those of an SQLite
	// unique constraint, which has no name in its message, and of MySQL's foreign key.
	Constraint string
	Table      string
	Column     string
	Columns    []string
	// Line is the line of a COPY, or the row of an INSERT of MySQL, from 1; 0 = none.
	Line int64

	kind kind
	// text is the server's own message where it can name only tables, columns and settings.
	text string
}

// ErrNoParent is SQLite's refusal of a row whose foreign key leads nowhere, for who finds it before the commit does.
var ErrNoParent = errors.New("a foreign key leads to no row")

// Error is an error of the database. Its text holds the fault's reason only; the cause, which may hold values and
// addresses, is there for errors.As and must not be shown.
type Error struct {
	Fault Fault
	cause error
}

// Error returns the reason.
func (e *Error) Error() string { return e.Fault.Reason() }

// Unwrap returns the driver's error.
func (e *Error) Unwrap() error { return e.cause }

// Explain says what an error means; it sees through wrapping. nil and errors that are none of a database's are
// UnknownFault; a broken connection and a timeout are TransientFault, a context that was cancelled is not.
func Explain(err error) Fault {
	if err == nil {
		return Fault{}
	}
	var known *Error
	if errors.As(err, &known) {
		return known.Fault
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return explainPostgres(pg)
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return explainSQLite(lite.Code(), lite.Error())
	}
	var my *mysql.MySQLError
	if errors.As(err, &my) {
		return explainMySQL(my)
	}
	switch {
	case errors.Is(err, ErrNoParent):
		return Fault{Class: RowFault, Code: "787", kind: foreignKey}
	case errors.Is(err, context.Canceled):
		return Fault{kind: interrupted}
	case errors.Is(err, ErrNoFile):
		return Fault{Class: FatalFault, kind: noFile}
	case errors.Is(err, errCannotOpen):
		return Fault{Class: FatalFault, kind: cannotOpen}
	case errors.Is(err, ErrRolledBack):
		return Fault{Class: TransientFault, kind: rolledBack}
	case errors.Is(err, context.DeadlineExceeded):
		return Fault{Class: TransientFault, kind: timeout}
	}
	if found := certificate(err); found != unexplained {
		return Fault{Class: TransientFault, kind: found}
	}
	if f, ok := mysqlBroken(err); ok {
		return f
	}
	if broken(err) {
		return Fault{Class: TransientFault, kind: unreachable}
	}
	return Fault{}
}

// plain is what pgconn says of a server that does not speak TLS; it has no other sign of it.
const plain = "server refused TLS connection"

// certificate says what is wrong with the one that the server showed, or that it shows none; unexplained when nothing is. It
// can be mended without anything in the run being changed, so a run waits for it.
func certificate(err error) kind {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &unknown):
		return untrusted
	case errors.As(err, &host):
		return otherHost
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return expired
	case errors.As(err, &invalid):
		return untrusted
	case errors.Is(err, mysql.ErrNoTLS), errors.As(err, &connect) && strings.Contains(connect.Error(), plain):
		return noTLS
	default:
		return unexplained
	}
}

// Transient says whether err goes away by itself.
func Transient(err error) bool { return Explain(err).Class == TransientFault }

// Fatal says whether err stays until somebody changes something.
func Fatal(err error) bool { return Explain(err).Class == FatalFault }

func broken(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, pgconn.ErrConnClosed) || errors.As(err, &connect) ||
		errors.As(err, &network) || pgconn.Timeout(err)
}

// explained gives an error of a driver a text that can be shown: even errors nobody knows may quote a value.
func explained(ctx context.Context, err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) || errors.Is(err, sql.ErrNoRows) || errors.Is(err, sql.ErrTxDone) {
		return err
	}
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		err = errors.Join(ended, err)
	}
	return &Error{Fault: Explain(err), cause: err}
}
