package database

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Limits of a PostgreSQL session. A transaction whose client has gone silent, or that waits for a lock, must not hold
// a partition for ever; a single statement of a chunk takes milliseconds, so minutes mean that something is wrong.
const (
	idleTimeout      = "60000"
	statementTimeout = "600000"
	lockTimeout      = "30000"
	connectTimeout   = 10 * time.Second
)

// postgresOptions are the options a URL may have: none of them reads a file but those of TLS, none changes what a
// session promises.
var postgresOptions = map[string]bool{
	"host": true, "port": true, "dbname": true, "database": true, "user": true, "password": true,
	"sslmode": true, "sslrootcert": true, "sslcert": true, "sslkey": true, "sslnegotiation": true, "sslsni": true,
	"connect_timeout": true, "target_session_attrs": true, "search_path": true,
	"channel_binding": true, "require_auth": true, "min_protocol_version": true, "max_protocol_version": true,
}

func (d *DB) openPostgres(c Config) error {
	u, err := url.Parse(c.URL)
	if err == nil && u.Opaque != "" {
		// The driver would read it as words, which may name files.
		err = errors.New("no //")
	}
	if err != nil {
		// The cause quotes the URL, and with it the password.
		return errors.New("the url is not a valid postgres:// url")
	}
	options, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("the options of the url are malformed")
	}
	for name := range options {
		if !postgresOptions[name] {
			return fmt.Errorf("the url has the option %q, which is not allowed", name)
		}
	}
	config, err := pgx.ParseConfig(c.URL)
	if err != nil {
		return errors.New("the url is not a valid postgres:// url, or a file that it names cannot be read")
	}
	delete(config.RuntimeParams, "options")
	for name, value := range map[string]string{
		"application_name": "ingest", "timezone": "UTC", "datestyle": "ISO, MDY", "intervalstyle": "postgres",
		"client_encoding": "UTF8", "standard_conforming_strings": "on", "bytea_output": "hex",
		"extra_float_digits": "1", "default_transaction_isolation": "read committed",
		"default_transaction_read_only": "off", "synchronous_commit": "on",
		"idle_in_transaction_session_timeout": idleTimeout, "statement_timeout": statementTimeout,
		"lock_timeout": lockTimeout,
	} {
		config.RuntimeParams[name] = value
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	d.pool(stdlib.GetConnector(*config), c)
	d.migrator = func() *sql.DB {
		own := config.Copy()
		if d.schema != "" {
			own.RuntimeParams["search_path"] = Quote(d.schema)
		}
		own.RuntimeParams["statement_timeout"] = "0"
		return sql.OpenDB(stdlib.GetConnector(*own))
	}
	return nil
}
