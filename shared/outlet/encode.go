package outlet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

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
	var b bytes.Buffer
	o, err := newObjects(c)
	if err != nil {
		return nil, err
	}
	for _, row := range c.Rows {
		if err := o.write(&b, row); err != nil {
			return nil, fmt.Errorf("encode row %d: %w", row.Number, err)
		}
		b.WriteByte('\n')
	}
	return b.Bytes(), nil
}

// objects writes the rows of a chunk as JSON: numbers, booleans and JSON as such where the column's type says so, everything
// else as text, NULL as null. What is absent is left out.
type objects struct {
	names []string
	types []string
}

func newObjects(c extend.Chunk) (objects, error) {
	o := objects{types: c.Types}
	for _, name := range c.Columns {
		text, err := quoted(name)
		if err != nil {
			return o, fmt.Errorf("encode the name of a column: %w", err)
		}
		o.names = append(o.names, text)
	}
	return o, nil
}

func (o objects) write(b *bytes.Buffer, row extend.Record) error {
	separator := byte('{')
	for i, value := range row.Values {
		if value == nil {
			continue
		}
		b.WriteByte(separator)
		separator = ','
		b.WriteString(o.names[i])
		b.WriteByte(':')
		if err := o.value(b, o.types[i], value); err != nil {
			return err
		}
	}
	if separator == '{' {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	return nil
}

func (o objects) value(b *bytes.Buffer, kind string, value *extend.Value) error {
	if value.Null {
		b.WriteString("null")
		return nil
	}
	switch column.Kind(kind) {
	case column.Integer, column.Decimal, column.Float, column.Boolean:
		// A float that is no number in JSON (NaN) stays a text.
		if json.Valid([]byte(value.Text)) {
			b.WriteString(value.Text)
			return nil
		}
	case column.JSON:
		if json.Compact(b, []byte(value.Text)) == nil {
			return nil
		}
	}
	text, err := quoted(value.Text)
	b.WriteString(text)
	return err
}

// quoted is a text in JSON, as it stands: nothing is escaped for HTML.
func quoted(text string) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}
