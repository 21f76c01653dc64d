package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"ingest/shared/column"
	"ingest/shared/extend"
	"ingest/shared/importer"
)

// shownNames bounds how many names a warning lists.
const shownNames = 10

// names finds source columns in a header and remembers which were read. It lives only while a program is compiled.
type names struct {
	header  []string
	exact   map[string]int
	trimmed map[string][]int
	fields  []importer.Field
	used    map[int]bool
	// mapped are the columns that fields have, missing those that only rules, transforms or expressions name and the
	// header lacks.
	mapped  map[int]bool
	missing []string
	// assigned are the columns of before_row, by their addresses; paths those of dotted names.
	assigned map[string]int
	paths    map[string]int
	// object says that the source is an object, whose keys are the columns: any may be there.
	object bool
	// extensions are those of the program.
	extensions extend.Extensions
	// virtual makes a virtual column. It is nil where only the header is looked at.
	virtual func(virtual) int
}

// newNames refuses a header that has a name twice, and one in which a field's column could be two.
func newNames(header []string, fields []importer.Field) (*names, error) {
	n := &names{
		header: header, exact: map[string]int{}, trimmed: map[string][]int{}, fields: fields, used: map[int]bool{},
		mapped: map[int]bool{}, assigned: map[string]int{}, paths: map[string]int{},
	}
	for i, name := range header {
		short := strings.TrimSpace(name)
		if short == "" {
			continue
		}
		if first, ok := n.exact[name]; ok {
			return nil, twice(short, first, i)
		}
		n.exact[name] = i
		n.trimmed[short] = append(n.trimmed[short], i)
	}
	for _, f := range fields {
		for _, name := range f.From {
			at := n.trimmed[strings.TrimSpace(name)]
			if _, ok := n.exact[name]; !ok && len(at) > 1 {
				return nil, twice(strings.TrimSpace(name), at[0], at[1])
			}
		}
	}
	return n, nil
}

func twice(name string, first, second int) error {
	return &Error{fmt.Sprintf("The column '%s' appears twice in the header (columns %d and %d).", name, first+1, second+1)}
}

// find returns the address of a source column: one of before_row, one of the header, or a path into one of these.
func (n *names) find(name string) (int, bool) {
	if at, ok := n.assigned[name]; ok {
		return at, true
	}
	if at, ok := n.literal(name); ok {
		return at, true
	}
	if at, ok := n.paths[name]; ok {
		return at, true
	}
	ways := walks(name, n.find)
	if n.object {
		ways = keys(name)
	}
	if len(ways) == 0 {
		return 0, false
	}
	if n.virtual != nil {
		n.paths[name] = n.virtual(virtual{path: ways, source: name})
	}
	return n.paths[name], true
}

// literal returns where the header has a name: exactly, else with blanks around it.
func (n *names) literal(name string) (int, bool) {
	at, ok := n.exact[name]
	if !ok {
		short := n.trimmed[strings.TrimSpace(name)]
		if len(short) == 0 {
			return 0, false
		}
		at = short[0]
	}
	n.used[at] = true
	return at, true
}

// field returns the address of the field's column: of the first of its names that there is. A field without a source
// column has none, -1, and is always there.
func (n *names) field(f importer.Field) (int, bool) {
	if len(f.From) == 0 {
		return -1, true
	}
	if n.object && len(f.From) > 1 {
		return n.either(f.From), true
	}
	for _, name := range f.From {
		if at, ok := n.find(name); ok {
			return at, true
		}
	}
	return 0, false
}

// either is the address of what an object has under the first of the names that are among its keys.
func (n *names) either(names []string) int {
	all := strings.Join(names, "\n")
	at, ok := n.paths[all]
	if !ok {
		var ways []walk
		for _, name := range names {
			ways = append(ways, keys(name)...)
		}
		at = n.virtual(virtual{path: ways, source: names[0]})
		n.paths[all] = at
	}
	return at
}

// cell is field for columns of the header only: a name that is a path is none of them.
func (n *names) cell(f importer.Field) (int, bool) {
	for _, name := range f.From {
		if at, ok := n.literal(name); ok {
			return at, true
		}
	}
	return 0, false
}

// column resolves a source column as rules name it: by the names of the field that it belongs to, else by itself.
// It returns the primary name and the position, -1 when the header lacks it.
func (n *names) column(name string) (primary string, at int) {
	from := []string{name}
	for _, primaryOnly := range []bool{true, false} {
		i := slices.IndexFunc(n.fields, func(f importer.Field) bool {
			return len(f.From) > 0 && (f.From[0] == name || !primaryOnly && slices.Contains(f.From, name))
		})
		if i >= 0 {
			from = n.fields[i].From
			break
		}
	}
	if at, ok := n.field(importer.Field{From: from}); ok {
		return from[0], at
	}
	return from[0], -1
}

func (n *names) warnings() []string {
	var blank, ignored []string
	for i, name := range n.header {
		short := strings.TrimSpace(name)
		switch {
		case short == "":
			blank = append(blank, fmt.Sprint(i+1))
		case !n.used[i] && !strings.HasPrefix(short, "_"):
			ignored = append(ignored, "'"+short+"'")
		}
	}
	var list []string
	if len(blank) > 0 {
		list = append(list, "Header cells without a name, their columns are ignored: "+capped(blank)+".")
	}
	if len(n.missing) > 0 {
		list = append(list, "Columns that rules, transforms or expressions name and the source does not have: "+
			capped(quotedNames(n.missing))+".")
	}
	if len(ignored) > 0 {
		list = append(list, "Columns ignored because no field maps them: "+capped(ignored)+".")
	}
	return list
}

func quotedNames(names []string) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = "'" + name + "'"
	}
	return list
}

func capped(list []string) string {
	if len(list) <= shownNames {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:shownNames], ", "), len(list)-shownNames)
}

// CheckHeader says what Compile would say about the header alone, before there is a table. An error is an *Error.
func CheckHeader(d importer.Definition, in Setting) error {
	n, err := newNames(meant(in.Header), sources(d))
	if err != nil {
		return err
	}
	n.extensions = in.Extensions
	for _, a := range d.BeforeRow {
		n.assigned[a.Column] = 0 // it is there, wherever that is
	}
	return checkHeader(d, n)
}

// checkHeader answers whether the header has what the definition cannot do without.
func checkHeader(d importer.Definition, n *names) error {
	for _, name := range d.Key {
		key, ok := d.KeyColumn(name)
		if !ok {
			return &Error{"The key column '" + name + "' is not mapped by any field."}
		}
		if _, ok := n.field(importer.Field{From: key.From}); !ok {
			return &Error{"The key column '" + name + "' or one of its aliases was not found in the source file headers."}
		}
	}
	if err := n.refer(d); err != nil || !d.StrictHeaders {
		return err
	}
	for _, f := range sources(d) {
		if _, ok := n.field(f); !ok {
			return &Error{"None of the required columns ['" + strings.Join(f.From, "', '") + "'] were" + strict}
		}
	}
	for _, rules := range d.Rules {
		if name, at := n.column(rules.Column); at < 0 {
			return strictly(name)
		}
	}
	if len(n.missing) > 0 {
		return strictly(n.missing[0])
	}
	return nil
}

const strict = " found in the source file headers. Strict header validation is enabled."

func strictly(name string) error { return &Error{"The column '" + name + "' was not" + strict} }

// checkTargets answers whether every field, present in the header or not, has a column of its own to write.
func checkTargets(d importer.Definition, table column.Table) error {
	name := d.Destination.Table
	if name == "" {
		name = table.Name
	}
	writer := map[string]string{}
	for _, f := range d.Fields {
		if len(f.From) == 0 && f.Const == nil && f.Expr == "" {
			return &Error{"The field of the column '" + f.To + "' has no source column."}
		}
		source := f.Source()
		target, ok := table.Column(f.To)
		if !ok {
			return &Error{"The table '" + name + "' has no column '" + f.To + "' (field '" + source + "')."}
		}
		if target.Generated {
			return &Error{"The column '" + f.To + "' of the table '" + name + "' is generated and cannot be written (field '" + source + "')."}
		}
		if first, ok := writer[f.To]; ok {
			return &Error{"The column '" + f.To + "' is written by two fields ('" + first + "' and '" + source + "')."}
		}
		writer[f.To] = source
	}
	for _, r := range d.Relations {
		if r.Many() {
			continue
		}
		target, ok := table.Column(r.To)
		if !ok {
			return &Error{"The table '" + name + "' has no column '" + r.To + "' (relation '" + r.From[0] + "')."}
		}
		if target.Generated {
			return &Error{"The column '" + r.To + "' of the table '" + name + "' is generated and cannot be written (relation '" + r.From[0] + "')."}
		}
	}
	return nil
}
