package importer

import (
	"maps"
	"slices"
	"strings"
	"time"

	"ingest/shared/column"
	"ingest/shared/expression"
)

// source is a source column as the importer's file has it: behind the prefix and a dot.
func (u used) source(name string) string {
	if u.prefix == "" {
		return name
	}
	return u.prefix + "." + name
}

func (u used) field(f Field) Field {
	f.To = u.toPrefix + f.To
	f.From = slices.Clone(f.From)
	for i, name := range f.From {
		f.From[i] = u.source(name)
	}
	f.Expr, f.When = u.expression(f.Expr), u.expression(f.When)
	f.Transform = slices.Clone(f.Transform)
	for i, t := range f.Transform {
		f.Transform[i].Options = u.options(t)
	}
	return f
}

func (u used) expression(text string) string {
	if u.prefix == "" {
		return text
	}
	return expression.Prefixed(text, u.prefix)
}

// options are a transform's with the columns they name behind the prefix.
func (u used) options(t Transform) map[string]any {
	if u.prefix == "" {
		return t.Options
	}
	changed := maps.Clone(t.Options)
	switch t.Name {
	case exprTransform:
		if text, ok := t.Options["value"].(string); ok {
			changed["value"] = u.expression(text)
		}
	case "concat":
		for _, option := range []string{"fields", "value"} { // a single value is short for fields
			switch names := t.Options[option].(type) {
			case string:
				changed[option] = u.source(names)
			case []any:
				list := slices.Clone(names)
				for i, name := range list {
					if name, ok := name.(string); ok {
						list[i] = u.source(name)
					}
				}
				changed[option] = list
			}
		}
	}
	return changed
}

// rulesOf are the rules of a column with the columns they name behind the prefix.
func (u used) rulesOf(list Rules) Rules {
	if u.prefix == "" {
		return list
	}
	dated := slices.ContainsFunc(list.Rules, func(r Rule) bool { return r.Name == "date_format" })
	out := Rules{Column: u.source(list.Column), Rules: slices.Clone(list.Rules)}
	for i, r := range out.Rules {
		args := slices.Clone(r.Args)
		for k, arg := range args {
			if u.names(r.Name, k, arg, dated) {
				args[k] = u.source(arg)
			}
		}
		if r.Table() != "" && (len(args) < 2 || args[1] == "") {
			// Left out it is the column of the source column's name, which has no prefix in the table.
			args = append([]string{args[0], u.mapping.primary(list.Column)}, args[min(2, len(args)):]...)
		}
		out.Rules[i].Args = args
	}
	return out
}

// names says whether an argument of a rule is a column. Where it may be a date in a format of the column's own, it is one
// only if the mapping has such a column.
func (u used) names(rule string, at int, arg string, dated bool) bool {
	switch rule {
	case "required_with", "required_without", "different":
		return true
	case "required_if", "same":
		return at == 0
	case "gt", "gte", "lt", "lte":
		_, number := column.ParseNumber(arg)
		return !number
	case "after", "before":
		_, date := column.ParseInstant(strings.TrimSpace(arg), time.UTC)
		return !date && (!dated || u.mapping.has(arg))
	default:
		return false
	}
}

// primary is the first name of the field that a source column belongs to, as messages say it.
func (m *mapping) primary(column string) string {
	if i := slices.IndexFunc(m.fields, func(f Field) bool { return slices.Contains(f.From, column) }); i >= 0 {
		return m.fields[i].From[0]
	}
	return column
}

// has says whether a field or rules of the mapping name a source column.
func (m *mapping) has(column string) bool {
	return slices.ContainsFunc(m.fields, func(f Field) bool { return slices.Contains(f.From, column) }) ||
		slices.ContainsFunc(m.rules, func(r Rules) bool { return r.Column == column })
}
