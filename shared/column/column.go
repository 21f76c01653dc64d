// Package column describes the columns of a destination table and the values that go into them.
//
// It is pure: Convert says for a text and a column type either the one canonical value or why the text is not
// one, without a database. Two texts are the same value of a type exactly when their canonical texts are equal.
package column

// Kind is the family of a column's type: it decides which texts are values.
type Kind string

// The kinds. Other is a type the engine does not interpret: its text goes to the database as it is.
const (
	Text     Kind = "text"
	Integer  Kind = "integer"
	Decimal  Kind = "decimal"
	Float    Kind = "float"
	Boolean  Kind = "boolean"
	Date     Kind = "date"
	Time     Kind = "time"
	Datetime Kind = "datetime"
	UUID     Kind = "uuid"
	JSON     Kind = "json"
	Bytes    Kind = "bytes"
	Other    Kind = "other"
)

// Type is a column's type as far as values depend on it.
type Type struct {
	Kind Kind `json:"kind"`
	// Native is the database's own name of the type, complete, usable in a cast: "character varying(255)".
	Native string `json:"native"`
	// Length is the greatest number of characters of a text, 0 = unlimited.
	Length int `json:"length,omitempty"`
	// Bits is the width of an integer, 8, 16, 24, 32 or 64; 32 for a float of single precision.
	Bits int `json:"bits,omitempty"`
	// Unsigned says that an integer has no negative values (MySQL).
	Unsigned bool `json:"unsigned,omitempty"`
	// Precision and Scale bound a decimal; Precision 0 = unbounded (then nothing is rounded).
	Precision int `json:"precision,omitempty"`
	Scale     int `json:"scale,omitempty"`
	// Zone says that a Datetime is an instant (timestamptz); otherwise it is stored as UTC wall time.
	Zone bool `json:"zone,omitempty"`
	// Digits is the greatest number of significant digits the database keeps of a decimal, or of a number that is a whole
	// JSON, 0 = all (SQLite's NUMERIC affinity keeps 15).
	Digits int `json:"digits,omitempty"`
}

// Fold says which texts a column's collation holds equal, for routing by key.
type Fold string

// The folds. FoldUnknown means that no fold is known to be coarse enough: the run uses one partition.
const (
	FoldExact   Fold = ""
	FoldNoCase  Fold = "nocase" // ASCII letters without case (SQLite NOCASE)
	FoldRTrim   Fold = "rtrim"  // trailing blanks ignored (SQLite RTRIM, PostgreSQL char(n))
	FoldUnknown Fold = "unknown"
)

// Column is one column of a table.
type Column struct {
	Name    string `json:"name"`
	Type    Type   `json:"type"`
	NotNull bool   `json:"not_null,omitempty"`
	// Default says that the database fills the column when an INSERT leaves it out (default, identity, rowid).
	Default bool `json:"default,omitempty"`
	// Generated columns cannot be written.
	Generated bool `json:"generated,omitempty"`
	Fold      Fold `json:"fold,omitempty"`
	// Collation names how the column compares texts, where a statement has to say it (MySQL).
	Collation string `json:"collation,omitempty"`
}

// Index is a unique index or constraint that covers whole columns (no expression, no predicate).
type Index struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	Primary bool     `json:"primary,omitempty"`
}

// Table is what the catalog says about a destination table.
type Table struct {
	Schema  string   `json:"schema,omitempty"`
	Name    string   `json:"name"`
	Columns []Column `json:"columns"`
	Unique  []Index  `json:"unique,omitempty"`
	// Meets lists what lets rows with different keys meet, beyond the unique indexes in Unique: exclusion
	// constraints, unique indexes over expressions or with a predicate, foreign keys to the table itself.
	// Each entry is a name for people.
	Meets []string `json:"meets,omitempty"`
	// Refuses lists what can refuse a row that Go has checked: CHECK constraints, foreign keys, triggers, rules.
	Refuses []string `json:"refuses,omitempty"`
	// Foreign are the table's foreign keys, in the order of their names, which in SQLite they do not have: in that of its
	// definition.
	Foreign []ForeignKey `json:"foreign,omitempty"`
	// Checks are the CHECK constraints among Refuses that can be asked beforehand.
	Checks []Check `json:"checks,omitempty"`
}

// Check is a CHECK constraint whose expression is known (PostgreSQL, MariaDB and MySQL).
type Check struct {
	Name       string   `json:"name"`
	Columns    []string `json:"columns"`
	Expression string   `json:"expression"`
}

// ForeignKey says that columns refer to columns of another table, or of the same.
type ForeignKey struct {
	Columns []string `json:"columns"`
	// Schema and Table name the other table as the catalog does.
	Schema string `json:"schema,omitempty"`
	Table  string `json:"table"`
	// References are its columns, in the order of Columns.
	References []string `json:"references"`
	// Unreadable says that the connection may not read the other table.
	Unreadable bool `json:"unreadable,omitempty"`
	// Deferred says that the database looks for the other row only at the commit, and that nothing can change that (SQLite).
	Deferred bool `json:"deferred,omitempty"`
}

// Column returns the column of that name.
func (t Table) Column(name string) (Column, bool) {
	for _, c := range t.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return Column{}, false
}

// UniqueOn returns the unique index over exactly these columns, in any order.
func (t Table) UniqueOn(columns []string) (Index, bool) {
	for _, index := range t.Unique {
		if sameSet(index.Columns, columns) {
			return index, true
		}
	}
	return Index{}, false
}

func sameSet(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	seen := make(map[string]bool, len(a))
	for _, name := range a {
		seen[name] = true
	}
	for _, name := range b {
		if !seen[name] {
			return false
		}
	}
	return true
}

// State says whether a row has a value for a column.
type State uint8

// The states. An absent column is left out of the INSERT (database default) and of the UPDATE.
const (
	Absent State = iota
	Null
	Set
)

// Value is a converted cell: the canonical text of its column's type.
type Value struct {
	Text  string
	State State
}
