package pipeline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ingest/shared/column"
	"ingest/shared/importer"
)

// buildDate takes what Date and Datetime columns take, and the date without hyphens of ISO 8601.
func buildDate(c ruleContext) (ruleTest, error) {
	zone := c.scope.location()
	return c.test(func(text string) bool {
		_, ok := column.ParseInstant(text, zone)
		return ok
	})
}

// dateFormats are the formats of a field's date_format rules. What cannot be compiled is told by the rule itself.
func dateFormats(list []importer.Rule) []layout {
	var formats []layout
	for _, rule := range list {
		if rule.Name != "date_format" {
			continue
		}
		for _, format := range rule.Args {
			if l, err := newLayout(format, forReading); err == nil {
				formats = append(formats, l)
			}
		}
	}
	return formats
}

func buildDateFormat(c ruleContext) (ruleTest, error) {
	formats, zone := make([]layout, len(c.args)), c.scope.location()
	for i, format := range c.args {
		var err error
		if formats[i], err = newLayout(format, forReading); err != nil {
			return ruleTest{}, err
		}
	}
	return c.test(func(text string) bool {
		for i := range formats {
			if formats[i].exactly(text, zone) {
				return true
			}
		}
		return false
	}, "format", c.args[0])
}

func buildAfter(c ruleContext) (ruleTest, error) {
	return c.dated(func(order int) bool { return order > 0 })
}

func buildBefore(c ruleContext) (ruleTest, error) {
	return c.dated(func(order int) bool { return order < 0 })
}

// relative are the days that Laravel would take from the clock. A rule must say the same of a row whenever a chunk is
// repeated, and no column is called so.
var relative = []string{"now", "today", "tomorrow", "yesterday"}

// dated compares dates with one that is written in the rule or with another column. It has nothing to say when the other
// cell is no date.
func (c ruleContext) dated(good func(order int) bool) (ruleTest, error) {
	name, zone := strings.TrimSpace(c.args[0]), c.scope.location()
	if slices.Contains(relative, strings.ToLower(name)) || name == "" {
		return ruleTest{}, fmt.Errorf("needs a date such as 2024-01-31 or a source column, not '%s'", name)
	}
	read := func(text string) (time.Time, bool) {
		t, _, ok := readDate(text, c.formats, zone)
		if !ok && len(c.formats) > 0 {
			t, _, ok = readDate(text, nil, zone)
		}
		return t, ok
	}
	if fixed, ok := read(name); ok {
		return c.test(func(text string) bool {
			t, ok := read(text)
			return ok && good(t.Compare(fixed))
		}, "date", name)
	}
	if _, skipped := column.ParseInstant(name, time.UTC); skipped {
		return ruleTest{}, fmt.Errorf("needs a time that there is in %s, not '%s'", zone, name)
	}
	other := c.scope.column(c.args[0])
	return ruleTest{
		judge: func(v column.Value, r record) int {
			bound := r.cell(other.cell)
			if bound.State != column.Set {
				return 0
			}
			limit, ok := read(bound.Text)
			if !ok {
				return 0
			}
			t, ok := read(v.Text)
			return verdict(ok && good(t.Compare(limit)), 1)
		},
		says: []saying{say(lines[c.name], "date", other.words)},
	}, nil
}
