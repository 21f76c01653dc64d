package pipeline

import (
	"encoding/json"
	"strconv"
	"strings"

	"ingest/shared/column"
)

// maxPath bounds the names of a dotted path.
const maxPath = 32

// walk is a way to a value within a cell: `user.address.city` may be `address.city` in the column user.
type walk struct {
	address int
	path    []string
	// open says that the next way is looked at, too, when there is nothing at the end of this one.
	open bool
}

// walks are the ways in which a dotted name can be read, the longest column first. It is empty when no column begins
// the name.
func walks(name string, find func(name string) (address int, ok bool)) []walk {
	if strings.Count(name, ".") >= maxPath {
		return nil
	}
	var list []walk
	for end := strings.LastIndexByte(name, '.'); end > 0; end = strings.LastIndexByte(name[:end], '.') {
		if address, ok := find(name[:end]); ok {
			list = append(list, walk{address: address, path: strings.Split(name[end+1:], ".")})
		}
	}
	return list
}

// keys are the ways in which a name leads into an object: as one of its keys, or, with dots, into what a shorter one has.
func keys(name string) []walk {
	list := []walk{{path: []string{name}, open: true}}
	if strings.Count(name, ".") >= maxPath {
		return list
	}
	for end := strings.LastIndexByte(name, '.'); end > 0; end = strings.LastIndexByte(name[:end], '.') {
		list = append(list, walk{path: append([]string{name[:end]}, strings.Split(name[end+1:], ".")...), open: true})
	}
	return list
}

// walk follows the first way whose cell is an object or a list; absent when there is none, or nothing at its end.
func (r record) walk(ways []walk) column.Value {
	for _, way := range ways {
		cell := r.cell(way.address)
		if text := column.Trim(cell.Text); cell.State == column.Set && text != "" && (text[0] == '{' || text[0] == '[') {
			if found, ok := within(json.RawMessage(text), way.path); ok {
				return r.program.leaf(found)
			}
			if !way.open {
				return column.Value{}
			}
		}
	}
	return column.Value{}
}

// within finds a part of a JSON value: keys of objects, positions in lists counted from 0.
func within(part json.RawMessage, path []string) (found json.RawMessage, ok bool) {
	for _, name := range path {
		switch part[0] {
		case '{':
			var object map[string]json.RawMessage
			if json.Unmarshal(part, &object) != nil {
				return nil, false
			}
			if part, ok = object[name]; !ok {
				return nil, false
			}
		case '[':
			var list []json.RawMessage
			i, err := strconv.ParseUint(name, 10, 31)
			if err != nil || json.Unmarshal(part, &list) != nil || i >= uint64(len(list)) {
				return nil, false
			}
			part = list[i]
		default:
			return nil, false
		}
	}
	return part, true
}

// leaf is the end of a path as a cell: a text, NULL, and everything else as its JSON.
func (p *Program) leaf(part json.RawMessage) column.Value {
	switch part[0] {
	case 'n':
		return column.Value{State: column.Null}
	case '"':
		var text string
		if json.Unmarshal(part, &text) != nil {
			return column.Value{}
		}
		return p.nulled(text)
	default:
		return column.Value{Text: string(part), State: column.Set}
	}
}
