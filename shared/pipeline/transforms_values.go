package pipeline

import (
	"slices"
	"strings"

	"ingest/shared/column"
)

// buildMap replaces texts by a table. What the table lacks is the row's error.
func buildMap(o *options, _ scope) transform {
	given, _ := o.Given("table")
	table, ok := given.(map[string]any)
	if !ok || len(table) == 0 {
		o.refuse("needs a table of texts as 'table', like {A: active, I: inactive}")
	}
	values := make(map[string]column.Value, len(table))
	for key, option := range table {
		values[key] = *o.asValue("table", option)
	}
	fallback, wrong := o.fallback(), complain("in")
	return func(v column.Value, _ record) (column.Value, *complaint) {
		if v.State == column.Set {
			if mapped, ok := values[v.Text]; ok {
				return mapped, nil
			}
		}
		switch {
		case fallback != nil:
			return *fallback, nil
		case v.State == column.Null:
			return v, nil
		default:
			return v, wrong
		}
	}
}

// buildBoolean makes 1 and 0, which every kind of column that can hold a boolean takes.
func buildBoolean(o *options, _ scope) transform {
	truthy, falsy := []string{"1", "true", "yes", "on", "y", "t"}, []string{"0", "false", "no", "off", "n", "f"}
	if o.Has("truthy") {
		truthy = o.Texts("truthy")
	}
	if o.Has("falsy") {
		falsy = o.Texts("falsy")
	}
	same := strings.EqualFold
	if o.Flag("case_sensitive", false) {
		same = func(a, b string) bool { return a == b }
	}
	among := func(list []string, text string) bool {
		return slices.ContainsFunc(list, func(word string) bool { return same(word, text) })
	}
	for _, text := range truthy {
		if among(falsy, text) {
			o.refuse("cannot have '%s' in 'truthy' and in 'falsy'", text)
		}
	}
	return reads(func(text string) (string, bool) {
		text = column.Trim(text)
		if among(truthy, text) {
			return "1", true
		}
		return "0", among(falsy, text)
	}, o.fallback(), complain("boolean"))
}

// buildNumeric makes a number as Decimal columns have it. Nothing goes through a float.
func buildNumeric(o *options, _ scope) transform {
	decimals := o.Integer("decimals", 0, 100, -1)
	least, leastText := o.number("min")
	most, mostText := o.number("max")
	if least != nil && most != nil && least.Compare(*most) > 0 {
		o.refuse("needs a 'min' that is not greater than 'max'")
	}
	point := o.character("decimal_separator", ".")
	usual := ","
	if point == usual {
		usual = "."
	}
	thousands := o.character("thousands_separator", usual)
	for _, separator := range []string{point, thousands} {
		if strings.ContainsAny(separator, "0123456789+-eE") {
			o.refuse("cannot have '%s' as a separator", separator)
		}
	}
	if point == "" || point == thousands {
		o.refuse("needs two different separators, not '%s' and '%s'", point, thousands)
	}
	return reads(func(text string) (string, bool) {
		text, ok := separated(column.Trim(text), point, thousands)
		if !ok {
			return "", false
		}
		n, ok := column.ParseNumber(text)
		if !ok {
			return "", false
		}
		if decimals >= 0 {
			n = n.Round(decimals)
		}
		switch {
		case least != nil && n.Compare(*least) < 0:
			return leastText, true
		case most != nil && n.Compare(*most) > 0:
			return mostText, true
		}
		text, problem := n.Text()
		return text, problem == ""
	}, o.fallback(), complain("numeric"))
}

// separated writes a number as ParseNumber takes it. Separators of thousands stand between groups of three digits, all
// or none; a blank stands for the blanks without break that spreadsheets put there.
func separated(text, point, thousands string) (string, bool) {
	mantissa, exponent := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, exponent = text[:i], text[i:]
	}
	whole, fraction, pointed := strings.Cut(mantissa, point)
	if thousands == " " {
		whole = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2009", " ").Replace(whole)
	}
	grouped := thousands != "" && strings.Contains(whole, thousands)
	if !grouped && (point == "." || !pointed) {
		// Another separator's point would be read as one.
		return text, point == "." || !strings.Contains(text, ".")
	}
	sign := ""
	if whole != "" && (whole[0] == '-' || whole[0] == '+') {
		sign, whole = whole[:1], whole[1:]
	}
	if grouped {
		groups := strings.Split(whole, thousands)
		for i, group := range groups {
			if strings.Trim(group, "0123456789") != "" || len(group) > 3 || len(group) < 3 && (i > 0 || group == "") {
				return "", false
			}
		}
		whole = strings.Join(groups, "")
	}
	if !pointed {
		return sign + whole + exponent, true
	}
	return sign + whole + "." + fraction + exponent, true
}
