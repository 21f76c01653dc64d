package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

const (
	// keptStatements is how many statements a connection to SQLite keeps prepared, keptText how long their texts are at most.
	keptStatements = 64
	keptText       = 4 << 10
)

// sqliteConn and sqliteStmt are what the driver's connections and statements can do, but for running a statement without
// preparing it: so database/sql prepares each one and closes it when its rows are.
type (
	sqliteConn interface {
		driver.Conn
		driver.ConnBeginTx
		driver.ConnPrepareContext
		driver.Pinger
		driver.SessionResetter
		driver.Validator
	}
	sqliteStmt interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}
)

// preparing is a connection that keeps statements prepared which may come again: to SQLite, reading a statement is often more
// work than executing it. Those it keeps are idle, and hold no lock.
type preparing struct {
	sqliteConn
	idle   map[string]sqliteStmt
	closed bool
}

func newPreparing(c driver.Conn) (driver.Conn, error) {
	conn, ok := c.(sqliteConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the SQLite driver's connections are no %T", (*sqliteConn)(nil)), c.Close())
	}
	return &preparing{sqliteConn: conn, idle: map[string]sqliteStmt{}}, nil
}

// PrepareContext implements driver.ConnPrepareContext. A statement is used by one at a time.
func (p *preparing) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if idle, ok := p.idle[query]; ok && ctx.Err() == nil {
		delete(p.idle, query)
		return &prepared{sqliteStmt: idle, conn: p, query: query}, nil
	}
	made, err := p.sqliteConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	statement, ok := made.(sqliteStmt)
	if !ok {
		return made, nil
	}
	return &prepared{sqliteStmt: statement, conn: p, query: query}, nil
}

// Close implements driver.Conn. SQLite keeps a connection that has statements, with its transaction and its lock.
func (p *preparing) Close() error {
	p.closed = true
	return errors.Join(p.forget(), p.sqliteConn.Close())
}

func (p *preparing) forget() (err error) {
	for _, idle := range p.idle {
		err = errors.Join(err, idle.Close())
	}
	clear(p.idle)
	return err
}

// prepared is a statement that is given back when it is closed.
type prepared struct {
	sqliteStmt
	conn  *preparing
	query string
}

// Close implements driver.Stmt.
func (p *prepared) Close() error {
	if _, twice := p.conn.idle[p.query]; twice || p.conn.closed || len(p.query) > keptText {
		return p.sqliteStmt.Close()
	}
	if len(p.conn.idle) >= keptStatements {
		if err := p.conn.forget(); err != nil {
			return errors.Join(err, p.sqliteStmt.Close())
		}
	}
	p.conn.idle[p.query] = p.sqliteStmt
	return nil
}
