package destination

import (
	"context"
	"errors"
	"slices"
	"strings"

	"ingest/shared/database"
)

// Drop removes tables, those that are there, in the reverse of their order. Where there is none it needs no right to drop.
func Drop(ctx context.Context, db *database.DB, tables []string) error {
	var names []string
	for _, name := range slices.Backward(tables) {
		if db.Dialect() == database.MySQL {
			// There even IF EXISTS needs the right to drop what is not there.
			if _, err := db.Table(ctx, name); errors.Is(err, database.ErrNoTable) {
				continue
			}
		}
		names = append(names, db.Quote(name))
	}
	if db.Dialect() == database.Postgres {
		names = []string{strings.Join(names, ", ")} // at once, whoever refers to whom
	}
	for _, list := range names {
		if _, err := db.Exec(ctx, "DROP TABLE IF EXISTS "+list); err != nil {
			return err
		}
	}
	return nil
}
