package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"

	"ingest/shared/lifecycle"
)

// busyTimeout is how long a statement, or the opening of a connection, waits for another process's lock; busyPause is
// between two tries to open one.
const (
	busyTimeout = 10 * time.Second
	busyPause   = 20 * time.Millisecond
)

// What the writer's connection may keep of a file in memory, in KiB: an index that is written all over is read again and again
// otherwise. checkpointPages is when the write-ahead log is put into the file, 16 MB: that waits for the disk, and a page that was
// written ten times is put there once.
const (
	cacheKiB        = 32 << 10
	checkpointPages = 4 << 10
)

// errCannotOpen marks errors of the file system about the database file.
var errCannotOpen = errors.New("the database file cannot be opened")

func (d *DB) openSQLite(c Config, path string) error {
	if c.LedgerSchema != "" {
		return errors.New("ledger_schema is not for sqlite")
	}
	path = strings.TrimPrefix(path, "//")
	switch {
	case path == "" || strings.HasSuffix(path, "/"):
		return errors.New("the url names no file: sqlite:path")
	case strings.HasPrefix(path, ":") || strings.HasPrefix(path, "file:"):
		return errors.New("the url must be sqlite: and the path of a file")
	case strings.ContainsAny(path, "?#\x00"):
		return errors.New("a sqlite url has no options, and its path none of ? and #")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("find the database file: %w", err)
	}
	writer, err := newConnector(path, c.MustExist, "immediate", url.Values{
		"_journal_mode": {"WAL"},
		"_pragma":       {fmt.Sprintf("cache_size(-%d)", cacheKiB), fmt.Sprintf("wal_autocheckpoint(%d)", checkpointPages)},
	})
	if err != nil {
		return err
	}
	reader, err := newConnector(path, c.MustExist, "deferred", url.Values{"_query_only": {"1"}})
	if err != nil {
		return err
	}
	d.write, d.read = sql.OpenDB(writer), sql.OpenDB(reader)
	d.write.SetMaxOpenConns(1)
	d.write.SetMaxIdleConns(1)
	d.read.SetMaxOpenConns(max(c.Connections, 0) + readers)
	d.read.SetMaxIdleConns(max(c.Connections, 0) + readers)
	return nil
}

// connector opens connections to one SQLite file, which it creates readable for its owner only.
type connector struct {
	driver.Connector
	path      string
	mustExist bool
}

func newConnector(path string, mustExist bool, lock string, options url.Values) (driver.Connector, error) {
	for name, value := range map[string]string{
		"mode": "rw", "_txlock": lock, "_busy_timeout": strconv.FormatInt(busyTimeout.Milliseconds(), 10), "_synchronous": "FULL", "_foreign_keys": "1",
		"_defensive": "1", "_dqs": "0",
	} {
		options.Set(name, value)
	}
	options.Add("_pragma", "trusted_schema(0)")
	address := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: options.Encode()}
	inner, err := sqlite.NewConnector(address.String())
	if err != nil {
		return nil, errors.New("the path of the database file cannot be used")
	}
	return &connector{Connector: inner, path: path, mustExist: mustExist}, nil
}

// Connect opens a connection, creating the file first where that is allowed. SQLite answers "busy" at once, whatever the
// busy timeout, to a process that opens a new file while another one turns it to WAL; having opened nothing, this tries
// again.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	if err := c.prepare(); err != nil {
		return nil, err
	}
	patience, cancel := context.WithTimeout(ctx, busyTimeout)
	defer cancel()
	for {
		conn, err := c.Connector.Connect(ctx)
		if err == nil {
			return newPreparing(conn)
		}
		if !Transient(err) || lifecycle.Wait(patience, busyPause, nil) != nil {
			return nil, err
		}
	}
}

func (c *connector) prepare() error {
	_, err := os.Stat(c.path)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return errors.Join(errCannotOpen, err)
	case c.mustExist:
		return ErrNoFile
	}
	if err := os.MkdirAll(filepath.Dir(c.path), 0o700); err != nil {
		return errors.Join(errCannotOpen, err)
	}
	file, err := os.OpenFile(c.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return errors.Join(errCannotOpen, err)
	}
	return file.Close()
}
