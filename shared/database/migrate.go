package database

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// versionTable holds which migrations have been applied.
const versionTable = "ingest_schema"

// ErrNotMigrated is wrapped when the engine's tables are missing or old.
var ErrNotMigrated = errors.New("the ledger tables are missing")

// notMigrated is ErrNotMigrated with the text that users read.
type notMigrated struct{ connection string }

func (e notMigrated) Error() string {
	return "The ledger tables are missing in connection '" + e.connection + "': run `ingest migrate`."
}

func (e notMigrated) Is(target error) bool { return target == ErrNotMigrated }

// Migrate creates or updates the engine's tables (ingest_*). It is idempotent and safe for several at once.
func Migrate(ctx context.Context, d *DB) error {
	var err error
	switch d.dialect {
	case Postgres:
		err = migratePostgres(ctx, d)
	case MySQL:
		err = migrateMySQL(ctx, d)
	case SQLite:
		err = migrateSQLite(ctx, d)
	}
	if err != nil {
		return fmt.Errorf("migrate connection '%s': %w", d.name, explained(ctx, err))
	}
	return nil
}

func migratePostgres(ctx context.Context, d *DB) error {
	if err := createSchema(ctx, d); err != nil {
		return err
	}
	pool := d.migrator()
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60), lock.WithUnlockTimeout(1, 10))
	if err != nil {
		return errors.Join(err, pool.Close())
	}
	return errors.Join(up(ctx, pool, goose.DialectPostgres, "migrations/postgres", goose.WithSessionLocker(locker)), pool.Close())
}

// migrateMySQL holds a lock of its session for all others, because no transaction can: DDL ends it.
func migrateMySQL(ctx context.Context, d *DB) (err error) {
	if err := createSchema(ctx, d); err != nil {
		return err
	}
	pool := d.migrator()
	defer func() { err = errors.Join(err, pool.Close()) }()
	held, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	var got sql.NullBool
	// The name of a lock has at most 64 characters, that of a database, too.
	name := "SHA1(CONCAT('ingest migrate ', DATABASE()))"
	if err := held.QueryRowContext(ctx, "SELECT GET_LOCK("+name+", 60)").Scan(&got); err != nil {
		return err
	}
	if !got.Bool {
		return errors.New("another migration holds the lock")
	}
	err = up(ctx, pool, goose.DialectMySQL, "migrations/mysql")
	_, released := held.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_LOCK("+name+")")
	return errors.Join(err, released)
}

// createSchema makes the ledger's schema where it is missing; a role that may not create one can have it made before.
func createSchema(ctx context.Context, d *DB) error {
	if d.schema == "" {
		return nil
	}
	var known bool
	err := d.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM information_schema.schemata WHERE schema_name = ?)", d.schema).Scan(&known)
	if err != nil || known {
		return err
	}
	_, err = d.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+Quote(d.schema))
	if Explain(err).Class == RowFault {
		// Somebody else made it between the two.
		return nil
	}
	return err
}

// migrateSQLite tries again when another process was faster: every migration is one transaction, so the loser of a
// race has changed nothing and finds the winner's version.
func migrateSQLite(ctx context.Context, d *DB) error {
	err := up(ctx, d.write, goose.DialectSQLite3, "migrations/sqlite")
	for range 3 {
		if err == nil || ctx.Err() != nil || Transient(err) {
			return err
		}
		err = up(ctx, d.write, goose.DialectSQLite3, "migrations/sqlite")
	}
	return err
}

func up(ctx context.Context, pool *sql.DB, dialect goose.Dialect, folder string, options ...goose.ProviderOption) error {
	provider, err := newProvider(pool, dialect, folder, options...)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

func newProvider(pool *sql.DB, dialect goose.Dialect, folder string, options ...goose.ProviderOption) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return nil, err
	}
	options = append(options, goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	return goose.NewProvider(dialect, pool, files, options...)
}

// Migrated returns nil when the engine's tables are there and current, an error that wraps ErrNotMigrated and says
// what to do when they are not, and another one when the database cannot be asked. It changes nothing.
func Migrated(ctx context.Context, d *DB) error {
	want, err := newest(string(d.dialect))
	if err != nil {
		return err
	}
	var have sql.NullInt64
	err = d.QueryRow(ctx, "SELECT MAX(version_id) FROM "+d.Ledger(versionTable)).Scan(&have)
	switch {
	case missing(err), err == nil && have.Int64 < want:
		return notMigrated{connection: d.name}
	case err != nil:
		return fmt.Errorf("look for the ledger tables in connection '%s': %w", d.name, err)
	case have.Int64 > want:
		return fmt.Errorf("the ledger tables in connection '%s' are those of a newer version", d.name)
	}
	return nil
}

// newest is the version of the last migration.
func newest(dialect string) (int64, error) {
	files, err := fs.Glob(migrations, "migrations/"+dialect+"/*.sql")
	if err != nil || len(files) == 0 {
		return 0, errors.Join(errors.New("no migrations are embedded"), err)
	}
	return goose.NumericComponent(files[len(files)-1])
}

// missing says whether err means that a table or schema does not exist.
func missing(err error) bool {
	f := Explain(err)
	return f.Class == FatalFault && slices.Contains([]string{"42P01", "3F000", "1", "1146", "1049"}, f.Code)
}
