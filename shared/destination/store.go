package destination

import (
	"context"
	"errors"

	"ingest/shared/column"
	"ingest/shared/database"
)

// store is one database's way to do things to many rows at once. Every method is all or nothing: after an error
// about a row, and after errLeftOut, undo takes the transaction back to before the call, or, after a keptError of insert,
// returning and update, to behind the first items. The items of a call have different keys.
type store interface {
	// look sets exists of every item and, if stored values decide (plan.compares), differs, moves and newer.
	look(ctx context.Context, items []*item) error
	// insert inserts items of one shape, in order; errLeftOut when the table did not take all of them.
	insert(ctx context.Context, items []*item) error
	// returning inserts like insert and sets own of every item.
	returning(ctx context.Context, items []*item) error
	// update overwrites what is not in the key of items of one shape, found by their keys, and sets gone of items
	// it did not find; of hoped items (plan.rewrites) also of those that do not differ, which it leaves alone.
	update(ctx context.Context, items []*item) error
	// stored calls keep with the position and the values in some columns of every item whose key is in the table.
	stored(ctx context.Context, items []*item, columns []column.Column, keep func(ord int64, values []column.Value)) error
	// match calls keep with the position and the least key of every item whose value a row has, not counting those that
	// have the excepted value.
	match(ctx context.Context, items []*item, key column.Column, except *Except, keep func(ord int64, key column.Value)) error
	// remove deletes the rows with the keys of the items.
	remove(ctx context.Context, items []*item) error
	// unlink deletes the rows whose first column is an item's and whose second is none of the others of the same position.
	unlink(ctx context.Context, items []*item, others [][]column.Value, removed func(ord int64)) error
	// ranks gives items equal numbers exactly if their keys are equal, or fails with errNoRanks.
	ranks(ctx context.Context, items []*item) ([]int64, error)
	// suspects are positions of items that foreign keys and CHECK constraints will probably refuse; nobody relies on it.
	suspects(ctx context.Context, items []*item) ([]int, error)
	// probe says of every item why the database refuses it alone, nil if it does not. It leaves nothing.
	probe(ctx context.Context, items []*item) ([]error, error)
	// gather makes a temporary table for keys, note puts those of the items into it, take deletes the rows of the table whose
	// keys are not in it – or sets the columns behind the key where one of the first of them differs –, and scatter removes it.
	gather(ctx context.Context) error
	note(ctx context.Context, items []*item) error
	take(ctx context.Context, set []column.Value, deciding int) (int64, error)
	scatter(ctx context.Context) error
	undo(ctx context.Context) error
	// culprits are the columns of the constraint that refused an item with cause, none if they cannot be known.
	culprits(ctx context.Context, it *item, cause error) ([]string, error)
}

// errLeftOut says that the database took fewer rows than it was given and refused none: a trigger left some out.
var errLeftOut = errors.New("the table left rows out")

// keptError says how many items were written before one was refused; if located, it is the next one, else one of those that follow.
type keptError struct {
	error
	items   int
	located bool
}

func (k *keptError) Unwrap() error { return k.error }

var errNoRanks = errors.New("the database does not compare keys")

// savepoint is the name of the one savepoint that is open while a statement runs.
const savepoint = "ingest_rows"

func newStore(p *plan, tx *database.Tx) store {
	switch p.dialect {
	case database.Postgres:
		return &postgres{plan: p, tx: tx}
	case database.MySQL:
		return newMySQL(p, tx)
	default:
		return &sqlite{plan: p, tx: tx}
	}
}
