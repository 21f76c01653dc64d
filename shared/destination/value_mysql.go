package destination

import (
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ingest/shared/column"
)

// settled is a value as MySQL gives it back when it has been written: it stores some otherwise than they are written.
func settled(c column.Column, v column.Value) column.Value {
	if v.State != column.Set {
		return v
	}
	name, arguments, _ := strings.Cut(c.Type.Native, "(")
	switch name {
	case "char":
		v.Text = strings.TrimRight(v.Text, " ")
	case "binary":
		n, _ := strconv.Atoi(strings.TrimSuffix(arguments, ")"))
		v.Text += strings.Repeat("0", max(0, len(`\x`)+2*n-len(v.Text)))
	case "float", "double":
		v.Text = places(c.Type, arguments, v.Text)
	case "year":
		v.Text = year(v.Text)
	case "inet4", "inet6":
		if address, err := netip.ParseAddr(v.Text); err == nil {
			v.Text = address.String()
		}
	case "enum":
		v.Text = member(members(c.Type.Native), v.Text)
	case "set":
		v.Text = subset(members(c.Type.Native), v.Text)
	}
	return v
}

// places rounds as a column that keeps so many decimal places does: 8,2).
func places(t column.Type, arguments, text string) string {
	_, scale, found := strings.Cut(strings.TrimSuffix(arguments, ")"), ",")
	digits, err := strconv.Atoi(scale)
	if !found || err != nil {
		return text
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	power, size := math.Pow10(digits), math.Abs(f)
	if whole := math.Floor(size); !math.IsInf(size*power, 0) {
		size = math.RoundToEven((size-whole)*power)/power + whole
	}
	return strconv.FormatFloat(math.Copysign(size, f), 'g', -1, bits(t))
}

// bits are those of a floating-point number.
func bits(t column.Type) int {
	if t.Bits == 32 {
		return 32
	}
	return 64
}

// year is what becomes of a year of one or two digits.
func year(text string) string {
	n, err := strconv.ParseUint(text, 10, 16)
	switch {
	case err != nil:
		return text
	case n < 70:
		n += 2000
	case n < 100:
		n += 1900
	}
	return strconv.FormatUint(n, 10)
}

// members are those of enum('a','b') or set('a','b').
func members(native string) []string {
	_, list, _ := strings.Cut(native, "(")
	list = strings.TrimSuffix(strings.TrimPrefix(list, "'"), "')")
	all := strings.Split(list, "','")
	for i := range all {
		all[i] = strings.ReplaceAll(all[i], "''", "'")
	}
	return all
}

// member is a member as it is spelled, where its collation cares for no case. Trailing blanks never count.
func member(all []string, text string) string {
	text = strings.TrimRight(text, " ")
	if i := slices.IndexFunc(all, func(m string) bool { return strings.EqualFold(m, text) }); i >= 0 && !slices.Contains(all, text) {
		return all[i]
	}
	return text
}

// subset are members in their order, each once.
func subset(all []string, text string) string {
	var chosen []string
	for one := range strings.SplitSeq(text, ",") {
		one = member(all, one)
		if !slices.Contains(all, one) {
			return text
		}
		chosen = append(chosen, one)
	}
	return strings.Join(slices.DeleteFunc(slices.Clone(all), func(m string) bool { return !slices.Contains(chosen, m) }), ",")
}

// bound is a value as the driver gets it.
func bound(c column.Column, v column.Value) any {
	if v = settled(c, v); v.State != column.Set {
		return nil
	}
	switch c.Type.Kind {
	case column.Integer:
		if n, err := strconv.ParseInt(v.Text, 10, 64); err == nil {
			return n
		}
		if n, err := strconv.ParseUint(v.Text, 10, 64); err == nil {
			return n
		}
	case column.Float:
		// What reads it rounds once: a text of single precision would be rounded twice.
		if f, err := strconv.ParseFloat(v.Text, bits(c.Type)); err == nil {
			return f
		}
	case column.Boolean:
		if b, err := strconv.ParseBool(v.Text); err == nil {
			return map[bool]int64{true: 1}[b]
		}
	case column.Bytes:
		if b, err := hex.DecodeString(strings.TrimPrefix(v.Text, `\x`)); err == nil {
			return b
		}
	case column.Datetime:
		return strings.TrimSuffix(v.Text, "Z")
	}
	return v.Text
}

// spelled is a value as a list has it; one that is none of the column's type, and equals no stored value, has none.
func spelled(c column.Column, v column.Value) *string {
	if v.State == column.Set && c.Type.Kind != column.Text && c.Type.Kind != column.Other && c.Type.Kind != column.JSON {
		known, problem := column.ConvertTo(v.Text, &c)
		if problem != "" {
			return nil
		}
		v = known
	}
	if v = settled(c, v); v.State != column.Set {
		return nil
	}
	switch c.Type.Kind {
	case column.Float:
		if f, err := strconv.ParseFloat(v.Text, bits(c.Type)); err == nil {
			v.Text = strconv.FormatFloat(f, 'g', -1, 64)
		}
	case column.Boolean:
		v.Text = map[string]string{"true": "1"}[v.Text]
		if v.Text == "" {
			v.Text = "0"
		}
	case column.Bytes:
		v.Text = strings.TrimPrefix(v.Text, `\x`)
	case column.Datetime:
		v.Text = strings.TrimSuffix(v.Text, "Z")
	}
	return &v.Text
}

// understood is what read has selected as the canonical text of its column's type; what is no value of the type is compared
// as the text it is.
func understood(c column.Column, stored sql.NullString) column.Value {
	if !stored.Valid {
		return column.Value{State: column.Null}
	}
	text := stored.String
	if c.Type.Kind == column.Bytes {
		text = `\x` + text
	}
	if value, problem := column.ConvertTo(text, &c); problem == "" && value.State == column.Set {
		return value
	}
	return column.Value{State: column.Set, Text: text}
}

// sameJSON compares documents as values: MySQL puts keys in an order of its own, MariaDB keeps what was written.
func sameJSON(a, b string) bool {
	if a == b {
		return true
	}
	x, known := document(a)
	y, too := document(b)
	return known && too && sameValue(x, y)
}

func document(text string) (any, bool) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err == nil
}

func sameValue(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, sameValue)
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, sameValue)
	case json.Number:
		y, ok := b.(json.Number)
		return ok && sameNumber(x, y)
	default:
		return a == b
	}
}

// sameNumber compares integers exactly; the others are of double precision in MySQL.
func sameNumber(a, b json.Number) bool {
	x, known := column.ParseNumber(a.String())
	y, too := column.ParseNumber(b.String())
	if known && too && x.Compare(y) == 0 {
		return true
	}
	if column.IsInteger(a.String()) && column.IsInteger(b.String()) {
		return false
	}
	f, err := a.Float64()
	g, also := b.Float64()
	return err == nil && also == nil && f == g
}
