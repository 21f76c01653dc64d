package pipeline

import (
	"regexp"
	"strconv"
	"strings"

	"ingest/shared/column"
)

// maxReplaced bounds what a replacement may make of a text: longer results are the row's error.
const maxReplaced = 1 << 20

func (o *options) pattern(name string) *regexp.Regexp {
	expression, err := compilePattern(o.Text(name, ""))
	if err != nil {
		o.refuse("%w", err)
	}
	return expression
}

// buildReplace replaces every occurrence of texts, or every match of a pattern; a text without any stays as it is.
func buildReplace(o *options, _ scope) transform {
	replace, wrong := o.Text("replace", ""), complain("regex")
	switch {
	case len(replace) > maxPattern:
		o.refuse("needs a text of at most %d bytes as 'replace'", maxPattern)
		return nil
	case o.Has("search") == o.Has("regex"):
		o.refuse("needs either 'search' or 'regex'")
		return nil
	case o.Has("search"):
		searches := o.Texts("search")
		var pairs []string
		for _, search := range searches {
			if search == "" {
				o.refuse("needs a text that is not empty as 'search'")
			}
			pairs = append(pairs, search, replace)
		}
		return bounded(strings.NewReplacer(pairs...).Replace, len(replace), wrong)
	}
	expression := o.pattern("regex")
	if o.Err() != nil {
		return nil
	}
	template, err := newTemplate(replace, expression)
	if err != nil {
		o.refuse("%w", err)
		return nil
	}
	return bounded(func(text string) string {
		var b []byte
		end := 0
		for _, match := range expression.FindAllStringSubmatchIndex(text, -1) {
			b = append(b, text[end:match[0]]...)
			b = template.expand(b, text, match)
			if end = match[1]; len(b) > maxReplaced {
				break
			}
		}
		if b == nil {
			return text
		}
		return string(append(b, text[end:]...))
	}, len(replace), wrong)
}

// bounded is a change of texts that could become too long or take too long.
func bounded(change func(string) string, growth int, wrong *complaint) transform {
	return func(v column.Value, _ record) (column.Value, *complaint) {
		if v.State != column.Set {
			return v, nil
		}
		if len(v.Text) > maxMatched && growth > 0 {
			return v, wrong
		}
		if v.Text = change(v.Text); len(v.Text) > maxReplaced {
			return v, wrong
		}
		return v, nil
	}
}

// buildPattern takes what a pattern finds first: a group, or a text made of several.
func buildPattern(o *options, _ scope) transform {
	expression := o.pattern("pattern")
	if o.Err() != nil {
		return nil
	}
	if o.Has("group") && o.Has("replacement") {
		o.refuse("needs either 'group' or 'replacement', not both")
	}
	written := "$" + strconv.Itoa(o.Integer("group", 0, expression.NumSubexp(), min(1, expression.NumSubexp())))
	if o.Has("replacement") {
		written = o.Text("replacement", "")
	}
	template, err := newTemplate(written, expression)
	if err != nil {
		o.refuse("%w", err)
		return nil
	}
	return reads(func(text string) (string, bool) {
		if len(text) > maxMatched {
			return "", false
		}
		match := expression.FindStringSubmatchIndex(text)
		if match == nil {
			return "", false
		}
		if group, only := template.only(); only {
			// A group that took no part in the match has found nothing.
			from := 2 * group
			return text[max(0, match[from]):max(0, match[from+1])], match[from] >= 0
		}
		b := template.expand(nil, text, match)
		return string(b), len(b) <= maxReplaced
	}, o.fallback(), complain("regex"))
}

// template is a replacement as PCRE users write it: $1, ${1}, \1, ${name}.
type template []templatePart

// templatePart is a text, or the group of that number.
type templatePart struct {
	text  string
	group int
}

// reference to a group in a replacement.
var groupPattern = regexp.MustCompile(`\$\{(\w+)\}|\$(\d{1,2})|\\(\d{1,2})`)

func newTemplate(written string, expression *regexp.Regexp) (template, error) {
	var t template
	end := 0
	for _, at := range groupPattern.FindAllStringSubmatchIndex(written, -1) {
		name := ""
		for i := 2; i < len(at); i += 2 {
			if at[i] >= 0 {
				name = written[at[i]:at[i+1]]
			}
		}
		group, err := strconv.Atoi(name)
		if err != nil {
			group = expression.SubexpIndex(name)
		}
		if group < 0 || group > expression.NumSubexp() {
			return nil, &Error{"names the group '" + name + "', which the pattern has not"}
		}
		t = append(t, templatePart{written[end:at[0]], -1}, templatePart{"", group})
		end = at[1]
	}
	return append(t, templatePart{written[end:], -1}), nil
}

func (t template) expand(b []byte, text string, match []int) []byte {
	for _, part := range t {
		b = append(b, part.text...)
		if from := 2 * part.group; part.group >= 0 && match[from] >= 0 {
			b = append(b, text[match[from]:match[from+1]]...)
		}
	}
	return b
}

// only is the group of a template that is one group and nothing else.
func (t template) only() (group int, ok bool) {
	if len(t) != 3 || t[0].text != "" || t[2].text != "" {
		return 0, false
	}
	return t[1].group, true
}
