package destination

import (
	"context"
	"slices"
	"strings"

	"ingest/shared/database"
)

// Drop removes tables, those that are there, in the reverse of their order.
func Drop(ctx context.Context, db *database.DB, tables []string) error {
	var names []string
	for _, name := range slices.Backward(tables) {
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
