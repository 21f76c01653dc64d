package bench

import (
	"fmt"
	"strconv"
	"strings"
)

// store is a database with a table of products, worked on with the client that comes with it.
type store struct {
	b *Bench
	// name is that of the page, url that of the connection.
	name, url string
	// pid is the server's, 0 = there is none.
	pid int
	// do executes statements in one session, each in a transaction of its own unless they say otherwise.
	do func(statements ...string) error
	// table is what CREATE TABLE products says, constraints excepted; flush brings to disk what was written.
	table, flush string
	ask          func(query string) string
}

// must executes statements.
func (s store) must(statements ...string) {
	s.b.Helper()
	if err := s.do(statements...); err != nil {
		s.b.Fatal(err)
	}
}

// does is a contender that executes statements.
func (s store) does(statements ...string) func() { return func() { s.must(statements...) } }

// empty makes the products table anew.
func (s store) empty() { s.emptyWith("") }

// emptyWith does with further constraints.
func (s store) emptyWith(constraints string) {
	s.b.Helper()
	statements := []string{
		"DROP TABLE IF EXISTS products", "CREATE TABLE products (" + s.table + constraints + ")",
		"CREATE UNIQUE INDEX products_sku_key ON products (sku)", "CREATE INDEX products_category ON products (category)",
	}
	if s.flush != "" {
		statements = append(statements, s.flush)
	}
	s.must(statements...)
}

// count is how many rows a table has.
func (s store) count(table string) func() int {
	return func() int {
		n, err := strconv.Atoi(strings.TrimSpace(s.ask("SELECT count(*) FROM " + table)))
		if err != nil {
			s.b.Fatal(err)
		}
		return n
	}
}

// overwrite is the end of an upsert that sets columns to what was refused: what follows ON CONFLICT … DO UPDATE SET.
func overwrite(columns, form string) string {
	var sets []string
	for _, column := range strings.Split(columns, ", ") {
		sets = append(sets, fmt.Sprintf(form, column, column))
	}
	return strings.Join(sets, ", ")
}

// columns of a products table, and those that an upsert overwrites.
const (
	columns   = "sku, name, description, price, category, stock"
	overwrote = "name, description, price, category, stock"
)
