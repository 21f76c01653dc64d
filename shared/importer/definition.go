// Package importer holds importer definitions: what a YAML file under configs/importers says.
//
// It is pure but for Load, which reads files. Decoding is strict: every problem of a file is reported at once,
// each with file:line:column and a hint. A Definition that was returned without problems is complete: defaults
// are filled in and every name has been checked.
package importer

// Definition is one importer. Its JSON form is the snapshot a run keeps; equal definitions have equal JSON.
type Definition struct {
	Slug        string      `json:"importer"`
	Source      Source      `json:"source"`
	Format      Format      `json:"format"`
	Destination Destination `json:"destination"`
	// Key are source columns (or aliases), in order; empty = every row is inserted.
	Key         []string    `json:"key,omitempty"`
	OnDuplicate OnDuplicate `json:"on_duplicate"`
	// ChunkSize is the greatest number of rows of a chunk, 0 = the configured default.
	ChunkSize int `json:"chunk_size,omitempty"`
	// Partitions means exactly that many, 0 = by size.
	Partitions int `json:"partitions,omitempty"`
	// MaxParallel bounds the partitions by size, 0 = the configured bound alone.
	MaxParallel int `json:"max_parallel,omitempty"`
	// MaxRowsPerSecond bounds the rows of all runs of the importer together, 0 = no bound.
	MaxRowsPerSecond int64 `json:"max_rows_per_second,omitempty"`
	// Transaction is TransactionChunk or TransactionRun, or empty: a bad row fails alone.
	Transaction string `json:"transaction,omitempty"`
	// Missing is nil where rows of the table stay that the file no longer has.
	Missing       *Missing `json:"missing,omitempty"`
	StrictHeaders bool     `json:"strict_headers,omitempty"`
	// Unmapped is UnmappedIgnore or UnmappedPass.
	Unmapped string `json:"unmapped"`
	// MaxFailedRows and MaxFailedRatio stop the run; nil = the configured default.
	MaxFailedRows  *int64   `json:"max_failed_rows,omitempty"`
	MaxFailedRatio *float64 `json:"max_failed_ratio,omitempty"`
	Fields         []Field  `json:"fields"`
	Rules          []Rules  `json:"rules,omitempty"`
	// Messages are the importer's own: by the name of a rule, or of a source column and a rule, `email.required`.
	Messages map[string]string `json:"messages,omitempty"`
	// Attributes are what messages call source columns.
	Attributes map[string]string `json:"attributes,omitempty"`
	// BeforeRow are made of every row before anything else looks at it, in this order.
	BeforeRow []Assignment `json:"before_row,omitempty"`
	// SkipWhen is a condition, empty = none: rows for which it is true are counted as skipped.
	SkipWhen string `json:"skip_when,omitempty"`
	// TableWhen are other tables for rows for which a condition is true; the first one counts.
	TableWhen []TableChoice `json:"table_when,omitempty"`
	// Relations are columns and pivot rows that are found by looking into other tables.
	Relations []Relation `json:"relations,omitempty"`
	// Nested are lists of objects within a row that become rows of other tables.
	Nested []Nested `json:"nested,omitempty"`
	// Compare is what UpdateIfNewer compares; nil for the other strategies.
	Compare *Compare `json:"compare,omitempty"`
	// Timezone is where a time without a zone is, a name of the IANA database; empty = UTC.
	Timezone string `json:"timezone,omitempty"`
	// Overlap is OverlapRefuse or OverlapWait, or empty: runs of the importer may overlap.
	Overlap string `json:"overlap,omitempty"`
	// SkipUnchanged completes a run at once whose source is that of the last completed one.
	SkipUnchanged bool `json:"skip_unchanged,omitempty"`
	// IndependentRows allows several partitions although rows with different keys can meet.
	IndependentRows bool `json:"independent_rows,omitempty"`
	// Params are what a run may be given, Given what this one was. A definition of a file has none given.
	Params []Param           `json:"params,omitempty"`
	Given  map[string]string `json:"given,omitempty"`
}

// What happens to columns that no field maps.
const (
	UnmappedIgnore = "ignore"
	// UnmappedPass writes them into the column of the same name, where the table has one.
	UnmappedPass = "pass"
)

// Assignment makes a source column of an expression; the column may be a new one.
type Assignment struct {
	Column string `json:"column"`
	Expr   string `json:"expr"`
}

// Param is a parameter of a run.
type Param struct {
	Name string `json:"name"`
	// Default is the value when none is given; nil = NULL.
	Default  *string `json:"default,omitempty"`
	Required bool    `json:"required,omitempty"`
}

const (
	// TransactionChunk makes one bad row fail its whole chunk.
	TransactionChunk = "chunk"
	// TransactionRun makes one bad row fail its whole run.
	TransactionRun = "run"
)

// OnDuplicate says what happens to a row whose key is in the table.
type OnDuplicate string

// The duplicate strategies.
const (
	Skip   OnDuplicate = "skip"
	Update OnDuplicate = "update"
	Upsert OnDuplicate = "upsert"
	Fail   OnDuplicate = "fail"
	// UpdateIfNewer is Update for rows whose time of the source is later than that of the table; others are skipped.
	UpdateIfNewer OnDuplicate = "update_if_newer"
)

// What happens to a run that begins while another one of its importer is not over.
const (
	OverlapRefuse = "refuse"
	OverlapWait   = "wait"
)

// Compare names the times that UpdateIfNewer compares: a source column and a column of the table.
type Compare struct {
	Source string `json:"source"`
	Column string `json:"column"`
}

// TableChoice sends the rows for which When is true to another table than the destination's.
type TableChoice struct {
	When  string `json:"when"`
	Table string `json:"table"`
}

// Relation looks for rows of another table. Without a Pivot the row belongs to the one it finds, whose Key goes into the
// column To; with one it has many, and each is joined to it by a row of the pivot table.
type Relation struct {
	// From is the source column and its aliases, as in a Field; of many it holds a list of texts.
	From      []string    `json:"from"`
	Transform []Transform `json:"transform,omitempty"`
	// To is the column that a belongs-to fills; empty with a Pivot.
	To string `json:"to,omitempty"`
	// Table is looked into for rows whose column Match has the value; their column Key – empty = the primary key, or what
	// a foreign key says – is what is stored.
	Table string `json:"table"`
	Match string `json:"match"`
	Key   string `json:"key,omitempty"`
	// CreateIfMissing makes a row of the Table for a value that none has.
	CreateIfMissing bool `json:"create_if_missing,omitempty"`
	// OnMissing is MissingFail, or for a belongs-to MissingNull, for many MissingIgnore.
	OnMissing string `json:"on_missing"`
	// Pivot is the table that joins; Own and Other are its columns – empty = what its foreign keys say.
	Pivot string `json:"pivot,omitempty"`
	Own   string `json:"own,omitempty"`
	Other string `json:"other,omitempty"`
	// Separator is between the texts of a list.
	Separator string `json:"separator,omitempty"`
	// Sync is SyncAttach or SyncReplace.
	Sync string `json:"sync,omitempty"`
}

// Many says that the relation joins by a pivot table.
func (r Relation) Many() bool { return r.Pivot != "" }

// What happens to a row with a value that no row of the related table has.
const (
	// MissingFail fails the row.
	MissingFail = "fail"
	// MissingNull writes NULL.
	MissingNull = "null"
	// MissingIgnore leaves the value out.
	MissingIgnore = "ignore"
)

// What happens to rows of the pivot table that the list does not name: they stay, or they are removed.
const (
	SyncAttach  = "attach"
	SyncReplace = "replace"
)

// Nested makes rows of another table from a list of objects (JSON) in a source column. Its fields and relations name keys
// of these objects, or dotted paths into them.
type Nested struct {
	From  []string `json:"from"`
	Table string   `json:"table"`
	// Key are keys of the objects that tell the rows of one parent apart; empty = every object is inserted.
	Key []string `json:"key,omitempty"`
	// Parent is the column that holds the key of the row which the list belongs to.
	Parent    string     `json:"parent"`
	Fields    []Field    `json:"fields"`
	Relations []Relation `json:"relations,omitempty"`
}

// Source says where the bytes come from.
type Source struct {
	// Type is Filesystem, Upload or the name of an extension.
	Type string `json:"type"`
	// Path is relative to the configured root; `run --file` replaces it. Only Filesystem has one. It may hold parameters: see
	// SourcePath.
	Path string `json:"path,omitempty"`
	// Options are those of an extension, as decoded. They may hold parameters: see SourceOptions.
	Options map[string]any `json:"options,omitempty"`
}

// The source types.
const (
	// Filesystem reads a file where it lies.
	Filesystem = "filesystem"
	// Upload takes the file that comes with the request.
	Upload = "upload"
)

// CSV is the format that every program has.
const CSV = "csv"

// Format says how bytes become rows.
type Format struct {
	// Type is CSV or the name of an extension.
	Type string `json:"type"`
	// Options are those of an extension, as decoded.
	Options map[string]any `json:"options,omitempty"`
	// Delimiter is one character; empty = the file's `sep=` line, else a comma.
	Delimiter string `json:"delimiter,omitempty"`
	// Nulls are the texts that mean NULL; default [""].
	Nulls []string `json:"nulls"`
	// ShortRows is "fail" (default) or "pad".
	ShortRows string `json:"short_rows"`
	// MaxRecord is the greatest size of a record in bytes; default 8 MiB.
	MaxRecord int64 `json:"max_record"`
}

// Destination says where the rows go.
type Destination struct {
	Connection string `json:"connection"`
	Table      string `json:"table"`
	// CreateTable makes a missing table before the first chunk; nil = true for SQLite, false elsewhere.
	CreateTable *bool `json:"create_table,omitempty"`
	// Timestamps sets created_at and updated_at of the rows that are written to the time the run began.
	Timestamps bool `json:"timestamps,omitempty"`
	// NoUniqueIndex allows a key without a unique index in the table: several of its rows may have one key, and chunks that
	// write it go one after the other.
	NoUniqueIndex bool `json:"no_unique_index,omitempty"`
}

// Creates says whether a missing table is made before the first chunk; byDefault where the importer does not say.
func (d Destination) Creates(byDefault bool) bool {
	if d.CreateTable != nil {
		return *d.CreateTable
	}
	return byDefault
}

// Field fills a destination column: from a source column, with a constant or by an expression.
type Field struct {
	// From is the primary source column and its aliases; the first that the header has wins.
	From []string `json:"from,omitempty"`
	// Const is the text of every row; nil = none.
	Const *string `json:"const,omitempty"`
	// Expr computes the value; empty = none.
	Expr      string      `json:"expr,omitempty"`
	To        string      `json:"to"`
	Type      string      `json:"type,omitempty"`
	Transform []Transform `json:"transform,omitempty"`
	// Validate judges the value that the transforms made, before it is converted.
	Validate []Validator `json:"validate,omitempty"`
	// When is a condition, empty = none: where it is false the column is left out.
	When string `json:"when,omitempty"`
}

// Source is what messages call the field's source: the primary column, else the column it fills.
func (f Field) Source() string {
	if len(f.From) > 0 {
		return f.From[0]
	}
	return f.To
}

// Transform is one step of a field's pipeline: a name and its options as decoded.
type Transform struct {
	Name    string         `json:"name"`
	Options map[string]any `json:"options,omitempty"`
}

// Validator is a check of a field's value: a name and its options as decoded.
type Validator struct {
	Name    string         `json:"name"`
	Options map[string]any `json:"options,omitempty"`
}

// Rules are the rules of one source column, in the order they are checked.
type Rules struct {
	Column string `json:"column"`
	Rules  []Rule `json:"rules"`
}

// Rule is one rule: `between:1,5` has Name between and Args 1, 5. A regex keeps its pattern as its one argument.
type Rule struct {
	Name string   `json:"name"`
	Args []string `json:"args,omitempty"`
}

// Table is the one that the rule looks into, as it names it; empty of a rule that looks into none.
func (r Rule) Table() string {
	if (r.Name == "unique" || r.Name == "exists") && len(r.Args) > 0 {
		return r.Args[0]
	}
	return ""
}
