package draft

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// Names are what the sample does not say.
type Names struct {
	// Importer is the slug, which is the table's name, too.
	Importer string
	// Sample is what people call the sample.
	Sample string
	// Path is the source path that leads to it; empty when none of the roots does.
	Path string
}

// keyNames are words in the names of columns that identify something.
var keyNames = map[string]bool{
	"id": true, "uid": true, "uuid": true, "guid": true, "code": true, "key": true, "sku": true, "number": true, "no": true,
	"nr": true, "ident": true, "identifier": true, "isbn": true, "ean": true, "gtin": true, "slug": true, "reference": true,
	"ref": true, "email": true, "mail": true,
}

// keyTypes are the types that values of a key have.
var keyTypes = map[string]bool{"integer": true, "bigint": true, "text": true, "uuid": true}

// Importer is the file: YAML with the evidence of each guess beside it.
func (d *Draft) Importer(n Names) []byte {
	var b strings.Builder
	d.writeHead(&b, n)
	fmt.Fprintf(&b, "\nimporter: %s\n\n", scalar(n.Importer))
	if n.Path == "" {
		b.WriteString("# The sample lies in none of the configuration's roots: ingest run " + n.Importer + " --file FILE\n")
	} else {
		fmt.Fprintf(&b, "source:\n  path: %s\n\n", scalar(n.Path))
	}
	d.writeFormat(&b)
	fmt.Fprintf(&b, "\ndestination:\n  table: %s\n  create_table: true  # of the fields below, where it is missing\n\n",
		scalar(strings.ReplaceAll(n.Importer, "-", "_")))
	d.writeKey(&b)
	d.writeFields(&b)
	d.writeRules(&b)
	return []byte(b.String())
}

func (d *Draft) writeHead(b *strings.Builder, n Names) {
	rows := fmt.Sprintf("all of its %s", counted(d.rows, "row"))
	switch {
	case d.more:
		rows = fmt.Sprintf("its first %s; there are more", counted(d.rows, "row"))
	case d.rows == 0:
		rows = "which is only a header"
	}
	fmt.Fprintf(b, "# Made by ingest make importer %s from %s, %s.\n# What stands behind a # is the evidence of a guess.\n",
		n.Importer, comment(n.Sample), rows)
	for _, t := range []struct {
		tally
		says string
	}{
		{d.broken, "cannot be read"},
		{d.long, "more cells than the header, not all of them empty"},
	} {
		if t.rows > 0 {
			fmt.Fprintf(b, "# Rows that will fail, because of %s: %d, the first in line %d.\n", t.says, t.rows, t.line)
		}
	}
	for _, c := range d.columns {
		if c.ignored() {
			fmt.Fprintf(b, "# Column %d (%s) is ignored: its name is blank or begins with _.\n", c.at+1, comment(c.header))
		}
	}
	if d.headless() {
		b.WriteString("# Does the file have a header? Its first line has a number or a date where the rows have them, too, and is taken for one.\n")
	}
}

// headless says that the header looks like data.
func (d *Draft) headless() bool {
	for _, c := range d.mapped() {
		for _, g := range c.guesses {
			if c.filled > 0 && g.takes(strings.TrimSpace(c.header)) {
				return true
			}
		}
	}
	return false
}

func (d *Draft) writeFormat(b *strings.Builder) {
	evidence := "the file names it"
	switch {
	case d.told:
	case len(d.columns) == 1:
		evidence = "one column: no other character divides the rows as it divides the header"
	default:
		evidence = fmt.Sprintf("rows with the %d cells of the header: %d of the first %d", len(d.columns), d.agreeing, d.judged)
	}
	fmt.Fprintf(b, "format:\n  delimiter: %s  # %s\n", quoted(d.delimiter), evidence)
	if d.short.rows > 0 {
		fmt.Fprintf(b, "  short_rows: pad  # %s fewer cells than the header, the first in line %d; fail refuses them\n",
			have(d.short.rows), d.short.line)
	}
}

func (d *Draft) writeKey(b *strings.Builder) {
	var key *observed
	var candidates []string
	for _, c := range d.mapped() {
		if !d.candidate(c) {
			continue
		}
		candidates = append(candidates, comment(c.header))
		if key == nil && c.called(keyNames) {
			key = c
		}
	}
	switch {
	case d.rows < 2:
		b.WriteString("# Without a key every row is inserted, at every run. There are too few rows to see what tells them apart.\n\n")
	case len(candidates) == 0:
		b.WriteString("# Without a key every row is inserted, at every run. No column has a value of its own in every row.\n\n")
	case key == nil:
		fmt.Fprintf(b, "# Without a key every row is inserted, at every run. Candidates: %s\n# key: COLUMN\n\n", strings.Join(candidates, ", "))
	default:
		if len(candidates) > 1 {
			fmt.Fprintf(b, "# Candidates: %s\n", strings.Join(candidates, ", "))
		}
		fmt.Fprintf(b, "key: %s  # unique in %s, never blank\n", scalar(key.header), counted(d.rows, "row"))
		b.WriteString("on_duplicate: skip  # a row that is there stays as it is; or: update, upsert, fail\n\n")
	}
}

func (d *Draft) candidate(c *observed) bool {
	return c.unique(d.rows) && keyTypes[c.judge(d.delimiter).of]
}

func (d *Draft) writeFields(b *strings.Builder) {
	b.WriteString("fields:\n")
	for _, c := range d.mapped() {
		v := c.judge(d.delimiter)
		fmt.Fprintf(b, "  # %s%s\n", v.why, c.blank())
		if d.candidate(c) {
			fmt.Fprintf(b, "  # key candidate: unique in %s, never blank\n", counted(d.rows, "row"))
		}
		fmt.Fprintf(b, "  - {from: %s, to: %s, type: %s", scalar(c.header), scalar(c.to), v.of)
		if v.transform != "" {
			fmt.Fprintf(b, ", transform: %s", v.transform)
		}
		b.WriteString("}\n")
	}
}

// blank says how many rows have no value.
func (c *observed) blank() string {
	switch none := c.empty + c.absent; {
	case c.filled == 0, none == 0:
		return ""
	default:
		return fmt.Sprintf("; %d without a value", none)
	}
}

func (d *Draft) writeRules(b *strings.Builder) {
	first := true
	for _, c := range d.mapped() {
		if !c.required(d.rows) {
			continue
		}
		if first {
			fmt.Fprintf(b, "\nrules:\n  # No cell of these columns is blank in %s.\n", counted(d.rows, "row"))
			first = false
		}
		fmt.Fprintf(b, "  %s: required\n", scalar(c.header))
	}
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func have(rows int) string {
	if rows == 1 {
		return "1 row has"
	}
	return fmt.Sprintf("%d rows have", rows)
}

// comment makes a text from a file fit for a comment.
func comment(text string) string {
	const most = 60
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029' || r == '\ufeff' {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// plain are texts that mean themselves in YAML without quotes, whichever version of it reads them.
var plain = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_/-]*(\.[A-Za-z0-9_-]+)*$`)

var reserved = map[string]bool{
	"true": true, "false": true, "null": true, "yes": true, "no": true, "on": true, "off": true, "y": true, "n": true,
}

// scalar is a text as YAML, with quotes where it needs them.
func scalar(text string) string {
	if plain.MatchString(text) && !reserved[strings.ToLower(text)] {
		return text
	}
	return quoted(text)
}

// quoted is a text in double quotes; what JSON escapes, YAML reads the same.
func quoted(text string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}
