// Package database is the only door to SQL databases: connections, transactions, the catalog, what an error means,
// and the migrations of the engine's own tables.
//
// It promises that a connection behaves the same whoever opened it (durable commits, UTC, READ COMMITTED or one
// SQLite writer), that a transaction after an error that is not a row's fault can neither go on nor be committed,
// and that the text of its errors holds no SQL value, no address and no secret.
package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Dialect is which database's SQL a connection speaks.
type Dialect string

// The dialects.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
	// MySQL is MariaDB's, too.
	MySQL Dialect = "mysql"
)

// readers is how many connections there are beside the writers.
const readers = 4

// Config describes a connection.
type Config struct {
	// Name is what people call the connection.
	Name string
	// URL is sqlite:path, postgres://user:password@host/database or mysql://user:password@host/database.
	URL string
	// LedgerSchema is the schema of the engine's tables, in MySQL another database of the server; empty = where unqualified
	// names lead.
	LedgerSchema string
	// Connections is how many transactions run at once (SQLite has one writer); 0 = 4.
	Connections int
	// Of is the connection whose database has the engine's tables for this one, which is no SQL database itself. Then the
	// rest is of no meaning.
	Of string
	// MustExist refuses to create an SQLite file, with ErrNoFile, and its directory.
	MustExist bool
}

// ErrNoFile is wrapped when an SQLite file that must exist does not.
var ErrNoFile = errors.New("the database file does not exist")

// DB is a named connection to a database. It is safe for concurrent use.
type DB struct {
	name    string
	dialect Dialect
	schema  string
	read    *sql.DB
	write   *sql.DB
	// migrator opens connections whose unqualified names are those of the ledger (not SQLite).
	migrator func() *sql.DB
}

var schemaName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

// Open reads and hardens the URL. It does not connect: the first use does. The caller must Close.
func Open(c Config) (*DB, error) {
	d := &DB{name: c.Name, schema: c.LedgerSchema}
	if d.schema != "" && !schemaName.MatchString(d.schema) {
		return nil, fmt.Errorf("connection '%s': ledger_schema must be letters, digits and underscores", c.Name)
	}
	scheme, rest, _ := strings.Cut(c.URL, ":")
	var err error
	switch scheme {
	case "sqlite":
		d.dialect = SQLite
		err = d.openSQLite(c, rest)
	case "postgres", "postgresql":
		d.dialect = Postgres
		err = d.openPostgres(c)
	case "mysql", "mariadb":
		d.dialect = MySQL
		err = d.openMySQL(c)
	default:
		err = errors.New("the url must begin with sqlite:, postgres:// or mysql://")
	}
	if err != nil {
		return nil, fmt.Errorf("connection '%s': %w", c.Name, err)
	}
	return d, nil
}

// pool has one set of connections for all who read and write.
func (d *DB) pool(connector driver.Connector, c Config) {
	writers := c.Connections
	if writers <= 0 {
		writers = readers
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(writers + readers)
	pool.SetMaxIdleConns(writers + readers)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	d.read, d.write = pool, pool
}

// Name is what people call the connection.
func (d *DB) Name() string { return d.name }

// Dialect says which SQL the database speaks.
func (d *DB) Dialect() Dialect { return d.dialect }

// Ping connects if necessary and returns an error when the database cannot be used now.
func (d *DB) Ping(ctx context.Context) error { return explained(ctx, d.read.PingContext(ctx)) }

// Close closes all connections. It waits for statements in flight and may be called more than once.
func (d *DB) Close() error {
	return errors.Join(d.read.Close(), d.write.Close())
}

// Query reads outside of a transaction; `?` are the arguments. On SQLite it cannot write. The caller closes the rows.
func (d *DB) Query(ctx context.Context, query string, args ...any) (*Rows, error) {
	rows, err := d.read.QueryContext(ctx, d.rebind(query), args...)
	if err != nil {
		return nil, explained(ctx, err)
	}
	return &Rows{Rows: rows, note: func(err error) error { return explained(ctx, err) }}, nil
}

// QueryRow is Query for at most one row; Scan returns sql.ErrNoRows for none.
func (d *DB) QueryRow(ctx context.Context, query string, args ...any) *Row {
	row := d.read.QueryRowContext(ctx, d.rebind(query), args...)
	return &Row{row: row, note: func(err error) error { return explained(ctx, err) }}
}

// Exec runs one statement in a transaction of its own. On SQLite it waits for the writer like Begin.
func (d *DB) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	result, err := d.write.ExecContext(ctx, d.rebind(query), args...)
	return result, explained(ctx, err)
}

// Quote returns one identifier quoted, whatever it contains; dots are part of the name.
func (d *DB) Quote(name string) string {
	if d.dialect == MySQL {
		// Its clients take nothing else; our own sessions take Quote, too.
		return "`" + strings.ReplaceAll(strings.ReplaceAll(name, "\x00", ""), "`", "``") + "`"
	}
	return Quote(name)
}

// QuoteTable returns "table" or "schema.table" quoted.
func (d *DB) QuoteTable(name string) string {
	schema, table := splitTable(name)
	if schema == "" {
		return d.Quote(table)
	}
	return d.Quote(schema) + "." + d.Quote(table)
}

// Ledger returns the quoted name of one of the engine's own tables.
func (d *DB) Ledger(table string) string {
	if d.schema == "" {
		return Quote(table)
	}
	return Quote(d.schema) + "." + Quote(table)
}

// Quote returns one identifier quoted, for the sessions of every dialect. NUL, which no identifier can hold, is dropped.
func Quote(name string) string {
	return `"` + strings.ReplaceAll(strings.ReplaceAll(name, "\x00", ""), `"`, `""`) + `"`
}

// QuoteTable returns "table" or "schema.table" quoted.
func QuoteTable(name string) string {
	schema, table := splitTable(name)
	if schema == "" {
		return Quote(table)
	}
	return Quote(schema) + "." + Quote(table)
}

// splitTable splits at the first dot; a name that has an empty part is a table's whole name.
func splitTable(name string) (schema, table string) {
	schema, table, found := strings.Cut(name, ".")
	if !found || schema == "" || table == "" {
		return "", name
	}
	return schema, table
}
