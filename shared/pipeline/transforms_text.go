package pipeline

import (
	"bytes"
	"crypto/md5"  //nolint:gosec // a short name for a text, not a secret: existing systems have it in their tables
	"crypto/sha1" //nolint:gosec // as md5
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
	"github.com/gosimple/unidecode"

	"ingest/shared/column"
)

// maxSeparator bounds what stands between two words of a slug: every word of a cell gets one.
const maxSeparator = 16

// buildSlug writes letters and digits in lower case, in ASCII where there is a way to, and one separator for all else.
func buildSlug(o *options, _ scope) transform {
	separator := o.Text("separator", "-")
	if strings.ContainsFunc(separator, func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }) {
		o.refuse("needs a separator without letters and digits, not '%s'", separator)
	}
	if len(separator) > maxSeparator {
		o.refuse("needs a separator of at most %d bytes", maxSeparator)
	}
	return texts(func(text string) string { return slug(text, separator) })
}

func slug(text, separator string) string {
	b := make([]byte, 0, len(text))
	gap := false
	add := func(c rune) {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.IsMark(c) {
			gap = true
			return
		}
		if gap && len(b) > 0 {
			b = append(b, separator...)
		}
		gap = false
		b = utf8.AppendRune(b, unicode.ToLower(c))
	}
	for _, c := range text {
		if c < utf8.RuneSelf {
			add(c)
			continue
		}
		plain := unidecode.Unidecode(string(c))
		if plain == "" && (unicode.IsLetter(c) || unicode.IsDigit(c)) {
			add(c)
		}
		if plain == "" && !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.IsMark(c) {
			gap = true
		}
		for _, d := range plain {
			add(d)
		}
	}
	return string(b)
}

// buildConcat joins other cells of the row as they are in the source; those without text are left out.
func buildConcat(o *options, s scope) transform {
	fields := o.Texts("fields")
	if len(fields) == 0 {
		o.refuse("needs a list of source columns as 'fields'")
	}
	separator := o.Text("separator", " ")
	cells := make([]int, len(fields))
	for i, name := range fields {
		cells[i] = s.column(name).cell
	}
	return func(_ column.Value, r record) (column.Value, *complaint) {
		joined := column.Value{State: column.Null}
		for _, at := range cells {
			v := r.cell(at)
			if v.State != column.Set || v.Text == "" {
				continue
			}
			if problem := column.Readable(v.Text); problem != "" {
				return v, &complaint{problem: problem}
			}
			if joined.State == column.Set {
				joined.Text += separator
			}
			joined.Text += v.Text
			joined.State = column.Set
		}
		return joined, nil
	}
}

// buildSplit takes one part of a text, or makes a JSON list of them all.
func buildSplit(o *options, _ scope) transform {
	separator := o.Text("separator", "")
	if separator == "" {
		o.refuse("needs the text between the parts as 'separator'")
	}
	const most = 1000
	index, limit := o.Integer("index", -most, most, 0), o.Integer("limit", 1, most, -1)
	list := !o.Has("index")
	return reads(func(text string) (string, bool) {
		parts := strings.SplitN(text, separator, limit)
		if list {
			return jsonList(parts), true
		}
		at := index
		if at < 0 {
			at += len(parts)
		}
		if at < 0 || at >= len(parts) {
			return "", false
		}
		return parts[at], true
	}, o.fallback(), complain("regex"))
}

func jsonList(parts []string) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	// Texts that were valid UTF-8 before they were cut at a text are so after it: there is nothing to refuse.
	_ = encoder.Encode(parts)
	return strings.TrimSuffix(b.String(), "\n")
}

// algorithms are the hashes there are, as hexadecimal digits.
var algorithms = map[string]func(text string) string{
	"md5":    func(text string) string { sum := md5.Sum([]byte(text)); return hex.EncodeToString(sum[:]) },  //nolint:gosec // see the import
	"sha1":   func(text string) string { sum := sha1.Sum([]byte(text)); return hex.EncodeToString(sum[:]) }, //nolint:gosec // see the import
	"sha256": func(text string) string { sum := sha256.Sum256([]byte(text)); return hex.EncodeToString(sum[:]) },
	"sha512": func(text string) string { sum := sha512.Sum512([]byte(text)); return hex.EncodeToString(sum[:]) },
	"xxh64": func(text string) string {
		return hex.EncodeToString(binary.BigEndian.AppendUint64(nil, xxhash.Sum64String(text)))
	},
}

func buildHash(o *options, _ scope) transform {
	name := o.Text("algorithm", "sha256")
	sum, ok := algorithms[name]
	if !ok {
		o.refuse("knows no algorithm '%s'; there are %s", name, strings.Join(slices.Clone(sortedNames(algorithms)), ", "))
		return nil
	}
	return texts(sum)
}
