package importer

import (
	"errors"
	"maps"
	"slices"
	"unicode"
	"unicode/utf8"

	"ingest/shared/extend"
	"ingest/shared/importer/document"
)

// The names of the type of a source and of a format, and the keys of a format that are the engine's whatever its type.
const typeKey = "type"

var engineKeys = []string{typeKey, "nulls", "short_rows", "max_record"}

func (p *parsing) source(n *document.Node) {
	check, own := p.checks.Sources[kindOf(n)]
	rest, options := n, (*document.Node)(nil)
	if own {
		rest, options = apart(n, []string{typeKey})
	}
	var path *document.Node
	keys := []document.Key{{Name: typeKey, Read: func(n *document.Node) {
		if text, ok := p.Choice(n, "the source type", append(Sources(), namesOf(p.checks.Sources)...)...); ok {
			p.d.Source.Type = text
		}
	}}}
	if !own {
		keys = append(keys, document.Key{Name: "path", Read: func(n *document.Node) {
			path = n
			p.d.Source.Path, _ = p.Filled(n, "the source path")
			p.placed(n)
		}})
	}
	p.Keys(rest, "source", keys)
	if path != nil && p.d.Source.Type == Upload {
		p.Report(path, "", "an upload has no path: the file comes with the request")
	}
	if own {
		p.placed(options)
		p.d.Source.Options = p.options(n, options, check)
	}
}

func (p *parsing) format(n *document.Node) {
	f := &p.d.Format
	check, own := p.checks.Formats[kindOf(n)]
	rest, options := n, (*document.Node)(nil)
	if own {
		rest, options = apart(n, engineKeys)
	}
	keys := []document.Key{
		{Name: typeKey, Read: func(n *document.Node) {
			if text, ok := p.Choice(n, "the format type", append(Formats(), namesOf(p.checks.Formats)...)...); ok {
				f.Type = text
			}
		}},
		{Name: "nulls", Read: p.nulls},
		{Name: "short_rows", Read: func(n *document.Node) {
			if text, ok := p.Choice(n, "short_rows", "fail", "pad"); ok {
				f.ShortRows = text
			}
		}},
		{Name: "max_record", Read: p.maxRecord},
	}
	if !own {
		keys = slices.Insert(keys, 1, document.Key{Name: "delimiter", Read: p.delimiter})
	}
	p.Keys(rest, "format", keys)
	if own {
		f.Options = p.options(n, options, check)
	}
}

func (p *parsing) maxRecord(n *document.Node) {
	text, ok := p.Text(n, "max_record")
	if !ok {
		return
	}
	size, err := document.ParseSize(text)
	if err != nil {
		p.Report(n, "", "max_record: %v", err)
		return
	}
	if size < 1 || size > maxMaxRecord {
		p.Report(n, "", "max_record must be from 1 byte to 1GiB, not %s", text)
		return
	}
	p.d.Format.MaxRecord = size
}

// kindOf is the type that a source or a format says it has.
func kindOf(n *document.Node) string {
	for _, e := range n.Entries {
		if e.Key.Text == typeKey {
			return e.Value.Text
		}
	}
	return ""
}

// apart are two tables made of one: the keys of the engine, and all others.
func apart(n *document.Node, keys []string) (engine, options *document.Node) {
	first, second := *n, *n
	first.Entries, second.Entries = nil, nil
	for _, e := range n.Entries {
		if slices.Contains(keys, e.Key.Text) {
			first.Entries = append(first.Entries, e)
		} else {
			second.Entries = append(second.Entries, e)
		}
	}
	return &first, &second
}

// options reads those of an extension; a mistake is reported where the option stands that it is about.
func (p *parsing) options(whole, n *document.Node, check func(map[string]any) error) map[string]any {
	options, _ := p.plain(n).(map[string]any)
	if len(options) == 0 {
		options = nil // as it is read from a snapshot
	}
	if check == nil {
		return options
	}
	err := check(options)
	if err == nil {
		return options
	}
	at := whole
	if wrong := (*extend.OptionError)(nil); errors.As(err, &wrong) {
		for _, e := range n.Entries {
			if e.Key.Text == wrong.Option {
				at = e.Key
			}
		}
	}
	p.Report(at, "", "%v", err)
	return options
}

func namesOf(table map[string]func(map[string]any) error) []string {
	return slices.Sorted(maps.Keys(table))
}

func (p *parsing) delimiter(n *document.Node) {
	text, ok := p.Text(n, "the delimiter")
	if !ok {
		return
	}
	if utf8.RuneCountInString(text) != 1 {
		hint := ""
		if text == `\t` || text == "tab" {
			hint = `a tab is written "\t", in double quotes`
		}
		p.Report(n, hint, "the delimiter must be one character, not %q", text)
		return
	}
	if r, _ := utf8.DecodeRuneInString(text); r == '"' || (unicode.IsControl(r) && r != '\t') {
		p.Report(n, "", "%q cannot be a delimiter", text)
		return
	}
	p.d.Format.Delimiter = text
}

// nulls may hold the empty text, and an empty list keeps empty cells as text.
func (p *parsing) nulls(n *document.Node) {
	items, ok := p.Items(n, "nulls")
	if !ok {
		return
	}
	texts := make([]string, 0, len(items))
	for _, item := range items {
		if text, ok := p.Text(item, `an entry of nulls`); ok {
			texts = append(texts, text)
		}
	}
	p.d.Format.Nulls = texts
}
