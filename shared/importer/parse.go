package importer

import (
	"math"
	"regexp"

	"ingest/shared/importer/document"
)

// Checks is what the pipeline knows of rules, transforms and validators, passed in so that importer stays below it. Each
// answers why the rule or transform cannot be used, nil when it can. A nil func accepts everything.
type Checks struct {
	Rule      func(Rule) error
	Transform func(Transform) error
	Validator func(Validator) error
	// RuleName answers for the name of a rule that a message is for.
	RuleName func(name string) error
	// Formats and Sources are those beside the types of this package, and what is wrong with their options.
	Formats, Sources map[string]func(options map[string]any) error
}

// Problem is one thing wrong in a definition file.
type Problem = document.Problem

// Problems are all of them in file order; as an error, one per line.
type Problems = document.Problems

// The limits of a definition.
const (
	MaxChunkSize  = 100_000
	MaxPartitions = 1024
	// MaxRowsPerSecond is more than any database takes.
	MaxRowsPerSecond = 1_000_000_000
	// DefaultMaxRecord is the greatest size of a record when a definition names none.
	DefaultMaxRecord = 8 << 20
	maxMaxRecord     = 1 << 30
	maxIdentifier    = 63
)

var slugPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

// Parse reads a definition. The error is Problems: everything that is wrong with the text, not only the first.
// file is only a name for positions. Parse is pure and never panics.
func Parse(file string, text []byte, c Checks) (Definition, error) {
	d, problems := parse(file, text, c, surroundings{})
	if err := problems.Err(); err != nil {
		return Definition{}, err
	}
	return d, nil
}

// parse answers what could be read beside the problems: a list wants the slug of a broken file too.
func parse(file string, text []byte, c Checks, in surroundings) (Definition, Problems) {
	root, problems := document.Parse(file, text)
	if len(problems) > 0 {
		return Definition{}, problems
	}
	if root == nil {
		return Definition{}, Problems{{File: file, Message: "the file is empty", Hint: "a definition begins with `importer: NAME`"}}
	}
	p := parsing{Reader: document.Reader{File: file}, checks: c, around: in, filled: fillers{}, d: Definition{
		Source:      Source{Type: Filesystem},
		Format:      Format{Type: "csv", Nulls: []string{""}, ShortRows: "fail", MaxRecord: DefaultMaxRecord},
		Destination: Destination{Connection: "default"},
		OnDuplicate: Skip,
		Unmapped:    UnmappedIgnore,
	}}
	if in.broken {
		p.Report(root, "", "the defaults of this directory have problems of their own: see %s", defaultsFile)
	}
	p.document(merged(root, in.defaults))
	return p.d, p.Problems
}

// parsing is one Parse: the definition so far and where its parts stand.
type parsing struct {
	document.Reader
	checks Checks
	d      Definition

	keyNodes []*document.Node
	// partitions and uniqueIndex are looked at again when the rest is known.
	partitions, uniqueIndex *document.Node
	onDuplicate, compare    *document.Node
	missingNode             *document.Node
	// filled are the columns of the destination's table.
	filled fillers
	// What names columns is read after fields and rules, wherever it stands in the file.
	schemaNode, messagesNode, attributesNode *document.Node
	// expressions are checked last: they name parameters, which may stand behind them.
	expressions []written
	// places are the texts of the source that may name parameters, too.
	places []*document.Node
	// around is what other files of the directory say; uses are the mappings that are put before the own fields.
	around surroundings
	uses   []used
}

func (p *parsing) document(root *document.Node) {
	d := &p.d
	p.Keys(root, "the definition", []document.Key{
		{Name: "importer", Required: true, Read: p.slug},
		{Name: "source", Read: p.source},
		{Name: "format", Read: p.format},
		{Name: "destination", Required: true, Read: p.destination},
		{Name: "key", Read: func(n *document.Node) { d.Key, p.keyNodes, _ = p.Texts(n, "a key column") }},
		{Name: "on_duplicate", Read: p.strategy},
		{Name: "compare", Read: p.comparison},
		{Name: "chunk_size", Read: func(n *document.Node) {
			v, _ := p.Int(n, "chunk_size", 1, MaxChunkSize)
			d.ChunkSize = int(v)
		}},
		{Name: "partitions", Read: func(n *document.Node) {
			v, _ := p.Int(n, "partitions", 1, MaxPartitions)
			d.Partitions, p.partitions = int(v), n
		}},
		{Name: "max_parallel", Read: func(n *document.Node) {
			v, _ := p.Int(n, "max_parallel", 1, MaxPartitions)
			d.MaxParallel = int(v)
		}},
		{Name: "max_rows_per_second", Read: func(n *document.Node) {
			d.MaxRowsPerSecond, _ = p.Int(n, "max_rows_per_second", 1, MaxRowsPerSecond)
		}},
		{Name: "transaction", Read: func(n *document.Node) {
			if text, ok := p.Choice(n, "transaction", "row", TransactionChunk, TransactionRun); ok && text != "row" {
				d.Transaction = text
			}
		}},
		{Name: "missing", Read: p.missing},
		{Name: "strict_headers", Read: func(n *document.Node) { d.StrictHeaders, _ = p.Bool(n, "strict_headers") }},
		{Name: "unmapped", Read: func(n *document.Node) {
			if text, ok := p.Choice(n, "unmapped", UnmappedIgnore, UnmappedPass); ok {
				d.Unmapped = text
			}
		}},
		{Name: "max_failed_rows", Read: func(n *document.Node) {
			if v, ok := p.Int(n, "max_failed_rows", 0, math.MaxInt64); ok {
				d.MaxFailedRows = &v
			}
		}},
		{Name: "max_failed_ratio", Read: func(n *document.Node) {
			if v, ok := p.Float(n, "max_failed_ratio", 0, 1); ok {
				d.MaxFailedRatio = &v
			}
		}},
		{Name: "timezone", Read: p.timezone},
		{Name: "overlap", Read: p.overlap},
		{Name: "if_unchanged", Read: p.ifUnchanged},
		{Name: "independent_rows", Read: func(n *document.Node) { d.IndependentRows, _ = p.Bool(n, "independent_rows") }},
		{Name: "fields", Required: !has(root, "use") && !has(root, "relations"), Read: func(n *document.Node) {
			d.Fields = p.fields(n, p.filled)
		}},
		{Name: "relations", Read: func(n *document.Node) { d.Relations = p.relations(n, p.filled) }},
		{Name: "nested", Read: p.nested},
		{Name: "rules", Read: p.rules},
		{Name: "schema", Read: func(n *document.Node) { p.schemaNode = n }},
		{Name: "messages", Read: func(n *document.Node) { p.messagesNode = n }},
		{Name: "attributes", Read: func(n *document.Node) { p.attributesNode = n }},
		{Name: "before_row", Read: p.beforeRow},
		{Name: "skip_when", Read: func(n *document.Node) { d.SkipWhen = p.condition(n, "skip_when") }},
		{Name: "table_when", Read: p.tableWhen},
		{Name: "params", Read: p.params},
		{Name: "use", Read: p.use},
	})
	// The short form of rules is the importer's own, so it takes the place of a mapping's rules as they do.
	p.schema(p.schemaNode)
	if !has(root, "use") {
		p.columns(root, "the definition", d.Fields, d.Relations)
	}
	p.include()
	p.duplicates()
	p.key(d.Key, p.keyNodes, d.Fields, d.Relations)
	p.parallel()
	p.unindexed()
	p.gone()
	p.messages(p.messagesNode)
	p.attributes(p.attributesNode)
	p.judge()
	p.unplaced()
}

func (p *parsing) slug(n *document.Node) {
	text, ok := p.Filled(n, "importer")
	if !ok {
		return
	}
	if err := CheckSlug(text); err != nil {
		p.Report(n, "like products or price-list_2", "%v", err)
		return
	}
	p.d.Slug = text
}

func (p *parsing) destination(n *document.Node) {
	d := &p.d.Destination
	p.Keys(n, "destination", []document.Key{
		{Name: "connection", Read: func(n *document.Node) {
			if text, ok := p.Filled(n, "the connection"); ok {
				d.Connection = text
			}
		}},
		{Name: "table", Required: true, Read: func(n *document.Node) { d.Table = p.tableName(n, "the table") }},
		{Name: "create_table", Read: func(n *document.Node) {
			if v, ok := p.Bool(n, "create_table"); ok {
				d.CreateTable = &v
			}
		}},
		{Name: "timestamps", Read: func(n *document.Node) { d.Timestamps, _ = p.Bool(n, "timestamps") }},
		{Name: "unique_index", Read: func(n *document.Node) {
			needed, ok := p.Bool(n, "unique_index")
			d.NoUniqueIndex, p.uniqueIndex = ok && !needed, n
		}},
	})
}
