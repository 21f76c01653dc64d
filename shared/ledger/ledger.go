// Package ledger keeps what took effect: the heads of a run's partitions and the outcomes of its chunks, in the
// destination's own database and in the transactions that write the rows.
//
// It promises that a chunk is recorded at most once and only in order, that nothing is recorded in a closed
// partition, and that every number of a run can be recomputed from the outcomes. It never holds a read transaction
// open while its caller works.
package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"ingest/shared/database"
	"ingest/shared/run"
)

// ErrSealed is wrapped when a partition is sealed with other numbers than before.
var ErrSealed = errors.New("the partition is sealed with other numbers")

// ErrNoHead is wrapped when a partition has no head: the run was pruned, or this is another database.
var ErrNoHead = errors.New("the partition is not in the ledger")

// Ledger reads and writes the ledger of one database. It is safe for concurrent use.
type Ledger struct {
	db     *database.DB
	heads  string
	chunks string
	// selectHeads selects the heads of a run as scanHead reads them.
	selectHeads string
	// rehearsed and forms are what dry runs keep until they end.
	rehearsed string
	forms     string
	locks     string
	// text is what a text is cast to.
	text string
	// staged are the rows of runs that stand or fall as a whole, until they end.
	staged string
}

// New returns the ledger in db. It does not connect.
func New(db *database.DB) *Ledger {
	text := "TEXT"
	if db.Dialect() == database.MySQL {
		text = "CHAR"
	}
	heads := db.Ledger("ingest_partitions")
	return &Ledger{
		selectHeads: `SELECT "partition", next_chunk, closed, COALESCE(sealed_chunks, -1), COALESCE(sealed_rows, -1), ` +
			sums + " FROM " + heads + " WHERE uid = ?",
		text: text, db: db, heads: heads, chunks: db.Ledger("ingest_chunks"),
		rehearsed: db.Ledger("ingest_dry_rows"), forms: db.Ledger("ingest_dry_forms"),
		locks: db.Ledger("ingest_locks"), staged: db.Ledger("ingest_staged"),
	}
}

// Head is a partition as the ledger has it.
type Head struct {
	Partition int
	// Next is the chunk that can take effect next; the first is 1.
	Next int64
	// Closed says that nothing can take effect any more.
	Closed bool
	// SealedChunks and SealedRows are what the split counted; -1 = not sealed.
	SealedChunks int64
	SealedRows   int64
	// Counts are the totals of the outcomes so far.
	Counts run.Counts
}

// Create makes the heads of partitions 0 to partitions-1 that are missing. It is idempotent and opens no closed one.
func (l *Ledger) Create(ctx context.Context, uid string, partitions int) error {
	args := make([]any, 0, 2*partitions)
	for partition := range partitions {
		args = append(args, uid, partition)
	}
	_, err := l.db.Exec(ctx, "INSERT INTO "+l.heads+` (uid, "partition") VALUES (?, ?)`+strings.Repeat(", (?, ?)", max(partitions-1, 0))+
		" "+l.db.OnConflict(`uid, "partition"`, ""), args...)
	if err != nil {
		return fmt.Errorf("create the heads of run %s: %w", uid, err)
	}
	return nil
}

// Heads returns the partitions in order; none when the run is not in this ledger.
func (l *Ledger) Heads(ctx context.Context, uid string) ([]Head, error) {
	heads, err := l.readHeads(ctx, uid)
	if err != nil {
		return nil, fmt.Errorf("read the heads of run %s: %w", uid, err)
	}
	return heads, nil
}

// Head returns one partition; ErrNoHead when it is not in this ledger.
func (l *Ledger) Head(ctx context.Context, uid string, partition int) (Head, error) {
	head, err := scanHead(l.db.QueryRow(ctx, l.selectHeads+` AND "partition" = ?`, uid, partition).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoHead
	}
	if err != nil {
		return Head{}, fmt.Errorf("read the head of partition %d of run %s: %w", partition, uid, err)
	}
	return head, nil
}

func (l *Ledger) readHeads(ctx context.Context, uid string) (heads []Head, err error) {
	rows, err := l.db.Query(ctx, l.selectHeads+` ORDER BY "partition"`, uid)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		h, err := scanHead(rows.Scan)
		if err != nil {
			return nil, err
		}
		heads = append(heads, h)
	}
	return heads, rows.Err()
}

func scanHead(scan func(into ...any) error) (h Head, err error) {
	err = scan(append([]any{&h.Partition, &h.Next, &h.Closed, &h.SealedChunks, &h.SealedRows}, into(&h.Counts)...)...)
	return h, err
}

// Close lets nothing more take effect in a partition; a missing head is inserted closed. It waits for the chunk
// transaction in flight, at most as long as the database waits for a lock: then the error is transient and EndSession
// helps. It is idempotent.
func (l *Ledger) Close(ctx context.Context, uid string, partition int) error {
	_, err := l.db.Exec(ctx, "INSERT INTO "+l.heads+` (uid, "partition", closed) VALUES (?, ?, TRUE) `+
		l.db.OnConflict(`uid, "partition"`, "closed = TRUE"), uid, partition)
	if err != nil {
		return fmt.Errorf("close partition %d of run %s: %w", partition, uid, err)
	}
	return nil
}

// Seal notes how many chunks and rows each partition has, by index; then nothing more is emitted. It is idempotent;
// other numbers than those that are there are ErrSealed, a missing head is ErrNoHead.
func (l *Ledger) Seal(ctx context.Context, uid string, chunks, rows []int64) error {
	if len(chunks) != len(rows) {
		return fmt.Errorf("seal run %s: %d chunk counts, %d row counts", uid, len(chunks), len(rows))
	}
	for partition := range chunks {
		if err := l.seal(ctx, uid, partition, chunks[partition], rows[partition]); err != nil {
			return fmt.Errorf("seal partition %d of run %s: %w", partition, uid, err)
		}
	}
	return nil
}

func (l *Ledger) seal(ctx context.Context, uid string, partition int, chunks, rows int64) error {
	result, err := l.db.Exec(ctx, `UPDATE `+l.heads+` SET sealed_chunks = ?, sealed_rows = ?
		WHERE uid = ? AND "partition" = ? AND sealed_chunks IS NULL`, chunks, rows, uid, partition)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	heads, err := l.readHeads(ctx, uid)
	if err != nil {
		return err
	}
	for _, h := range heads {
		switch {
		case h.Partition != partition:
		case h.SealedChunks == chunks && h.SealedRows == rows:
			return nil
		default:
			return fmt.Errorf("%d chunks and %d rows, now %d and %d: %w", h.SealedChunks, h.SealedRows, chunks, rows, ErrSealed)
		}
	}
	return ErrNoHead
}

// pruneBatch is how many chunks one transaction deletes.
const pruneBatch = 500

// Prune removes a run. The heads go first, so that a chunk transaction that still waits cannot take effect; a prune
// that was interrupted can be repeated.
func (l *Ledger) Prune(ctx context.Context, uid string) error {
	if _, err := l.db.Exec(ctx, "DELETE FROM "+l.heads+" WHERE uid = ?", uid); err != nil {
		return fmt.Errorf("prune the heads of run %s: %w", uid, err)
	}
	if err := l.EndRehearsal(ctx, uid); err != nil {
		return err
	}
	if err := l.EndStaging(ctx, uid); err != nil {
		return err
	}
	if err := l.clear(ctx, l.chunks, uid); err != nil {
		return fmt.Errorf("prune the outcomes of run %s: %w", uid, err)
	}
	return nil
}

// clear deletes what a table has of the chunks of a run.
func (l *Ledger) clear(ctx context.Context, table, uid string) error {
	for {
		result, err := l.db.Exec(ctx, `DELETE FROM `+table+` WHERE uid = ? AND ("partition", chunk) IN (
			SELECT "partition", chunk FROM (SELECT "partition", chunk FROM `+table+` WHERE uid = ? LIMIT ?) AS page)`, uid, uid, pruneBatch)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
	}
}
