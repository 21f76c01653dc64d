package outlet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"ingest/shared/column"
	"ingest/shared/extend"
)

// encodeCSV is a header and a line for every row. NULL is nothing at all and an empty text is "", so that they can be told
// apart; what is absent is like NULL. A file of one column writes "" for both: a blank line would be no row.
func encodeCSV(c extend.Chunk) ([]byte, error) {
	var b bytes.Buffer
	for i, name := range c.Columns {
		cell(&b, i, name)
	}
	b.WriteString("\n")
	for _, row := range c.Rows {
		for i, value := range row.Values {
			switch {
			case value != nil && !value.Null:
				cell(&b, i, value.Text)
			case i > 0:
				b.WriteByte(',')
			case len(row.Values) == 1:
				cell(&b, i, "")
			}
		}
		b.WriteString("\n")
	}
	return b.Bytes(), nil
}

// cell is written as RFC 4180 has it.
func cell(b *bytes.Buffer, at int, text string) {
	if at > 0 {
		b.WriteByte(',')
	}
	if text != "" && !strings.ContainsAny(text, "\",\r\n") && strings.TrimSpace(text) == text {
		b.WriteString(text)
		return
	}
	b.WriteByte('"')
	b.WriteString(strings.ReplaceAll(text, `"`, `""`))
	b.WriteByte('"')
}

// encodeLines is a JSON object for every row on a line of its own.
func encodeLines(c extend.Chunk) ([]byte, error) {
	o, err := newObjects(c)
	if err != nil {
		return nil, err
	}
	for _, row := range c.Rows {
		if err := o.write(row); err != nil {
			return nil, fmt.Errorf("encode row %d: %w", row.Number, err)
		}
		o.b.WriteByte('\n')
	}
	return o.b.Bytes(), nil
}

// objects writes the rows of a chunk as JSON: numbers, booleans and JSON as such where the column's type says so, everything
// else as text, NULL as null. What is absent is left out.
type objects struct {
	b bytes.Buffer
	// quote writes into b.
	quote *json.Encoder
	names []string
	types []string
}

func newObjects(c extend.Chunk) (*objects, error) {
	o := &objects{types: c.Types}
	o.quote = json.NewEncoder(&o.b)
	o.quote.SetEscapeHTML(false)
	for _, name := range c.Columns {
		if err := o.text(name); err != nil {
			return nil, fmt.Errorf("encode the name of a column: %w", err)
		}
		o.names = append(o.names, o.b.String())
		o.b.Reset()
	}
	o.b.Grow(room(c))
	return o, nil
}

// room is about what the rows of a chunk need as objects; to grow there step by step would copy them several times.
func room(c extend.Chunk) int {
	const row, value = 40, 4 // a row's number and braces; quotes, colon and comma
	size := 512              // what comes before the rows
	for _, name := range c.Columns {
		size += (len(name) + 2 + value) * len(c.Rows)
	}
	for _, r := range c.Rows {
		size += row
		for _, v := range r.Values {
			if v != nil {
				size += len(v.Text)
			}
		}
	}
	return size
}

func (o *objects) write(row extend.Record) error {
	separator := byte('{')
	for i, value := range row.Values {
		if value == nil {
			continue
		}
		o.b.WriteByte(separator)
		separator = ','
		o.b.WriteString(o.names[i])
		o.b.WriteByte(':')
		if err := o.value(o.types[i], value); err != nil {
			return err
		}
	}
	if separator == '{' {
		o.b.WriteByte('{')
	}
	o.b.WriteByte('}')
	return nil
}

func (o *objects) value(kind string, value *extend.Value) error {
	if value.Null {
		o.b.WriteString("null")
		return nil
	}
	switch column.Kind(kind) {
	case column.Integer, column.Decimal, column.Float, column.Boolean:
		// A float that is no number in JSON (NaN) stays a text.
		if json.Valid([]byte(value.Text)) {
			o.b.WriteString(value.Text)
			return nil
		}
	case column.JSON:
		if json.Compact(&o.b, []byte(value.Text)) == nil {
			return nil
		}
	}
	return o.text(value.Text)
}

// text writes a text as it stands: nothing is escaped for HTML.
func (o *objects) text(text string) error {
	if verbatim(text) {
		o.b.WriteByte('"')
		o.b.WriteString(text)
		o.b.WriteByte('"')
		return nil
	}
	if err := o.quote.Encode(text); err != nil {
		return err
	}
	o.b.Truncate(o.b.Len() - 1) // the end of a line
	return nil
}

// verbatim says that a text is its own encoding, as nearly all are; the encoder takes longer to find out.
func verbatim(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
