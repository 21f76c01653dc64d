package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"ingest/shared/config"
	"ingest/shared/control"
	"ingest/shared/database"
)

// explain adds to an error what only the command line knows: where the files of this installation are.
func (s *session) explain(ctx context.Context, sys *system, err error) error {
	if sys.databases != nil && errors.Is(err, fs.ErrNotExist) {
		if _, gone := os.Stat(s.settings.Importers); errors.Is(gone, fs.ErrNotExist) {
			return &control.Error{Kind: control.Invalid, Message: fmt.Sprintf(
				"The importers directory %s does not exist: make it, or name another with --importers.", s.settings.Importers,
			)}
		}
	}
	if sys.databases == nil || !ofFile(err) {
		return err
	}
	for _, name := range connections(s.settings) {
		db, unknown := sys.databases.Get(name)
		if unknown == nil && db.Dialect() == database.SQLite && ofFile(database.Migrated(ctx, db)) {
			return located(s.settings, name, err)
		}
	}
	return err
}

func (s *session) explaining(start starter) starter {
	return func(ctx context.Context, sys *system) (control.Resource, error) {
		r, err := start(ctx, sys)
		return r, s.explain(ctx, sys, err)
	}
}

// located adds to an error about the file of an SQLite connection which file it is and what to do.
func located(c config.Config, name string, err error) error {
	path, is := strings.CutPrefix(c.Connections[name].URL.Reveal(), "sqlite:")
	if !is || !ofFile(err) {
		return err
	}
	return &fileError{cause: err, path: path, connection: name}
}

// fileError is an error about the file of an SQLite connection.
type fileError struct {
	cause            error
	path, connection string
}

func (e *fileError) Error() string {
	return fmt.Sprintf("%s The file is %s: it must be an SQLite database that you may read and write; "+
		"name another with INGEST_CONNECTIONS_%s_URL.",
		e.cause, e.path, strings.ToUpper(strings.ReplaceAll(e.connection, "-", "_")))
}

func (e *fileError) Unwrap() error { return e.cause }

// ofFile says whether an error is about an SQLite file as a whole: it is not there, cannot be opened or written, or
// is none.
func ofFile(err error) bool {
	fault := database.Explain(err)
	if fault.Class != database.FatalFault {
		return false
	}
	if fault.Code == "" {
		return true
	}
	code, unknown := strconv.Atoi(fault.Code)
	if unknown != nil {
		return false
	}
	switch code & 0xff {
	case 3, 8, 11, 14, 26: // may not, read-only, damaged, cannot be opened, no database
		return true
	default:
		return false
	}
}
