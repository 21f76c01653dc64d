package draft

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// verdict is what a column is taken for.
type verdict struct {
	// of is the field's type, transform what it needs, as YAML; empty = none.
	of, transform string
	// why is the evidence.
	why string
}

// roomy is how far an integer may go before it is given a bigint's room.
const roomy = 9

// flagNames are words in front of the names of columns that hold a flag.
var flagNames = map[string]bool{"is": true, "has": true, "can": true, "was": true, "should": true}

// flags are the pairs of words that booleans are written in. A name must say that it is one where a pair could be codes.
var flags = []struct {
	yes, no string
	// both says that both have to occur, named that the name of the column has to say it.
	both, named bool
}{
	{"true", "false", false, false},
	{"yes", "no", true, false},
	{"on", "off", true, false},
	{"yes", "no", false, true},
	{"on", "off", false, true},
	{"1", "0", false, true},
	{"y", "n", false, true},
	{"t", "f", false, true},
}

// judge says what the column is. Semicolons between cells make it likelier that points stand between thousands.
func (c *observed) judge(delimiter string) verdict {
	switch of := fmt.Sprintf("%d of %d values", c.filled, c.filled); {
	case c.filled == 0:
		return verdict{"text", "", "text: no values"}
	case c.flag() != "":
		return verdict{"boolean", "", fmt.Sprintf("boolean: %s; %s", of, c.flag())}
	case c.may(integer):
		v := verdict{"integer", "", fmt.Sprintf("integer: %s; smallest %s, largest %s", of, c.least.text, c.most.text)}
		if max(len(strings.TrimLeft(c.least.text, "-")), len(c.most.text)) > roomy {
			v.of = "bigint"
		}
		return v
	case (c.may(decimal) || c.may(float)) && c.fraction > 0:
		return c.judgePointed(of, delimiter)
	case c.may(comma) && c.comma > 0 && c.thousands == 0:
		return verdict{"decimal", `{numeric: {decimal_separator: ","}}`, fmt.Sprintf(
			"decimal: %s, with a decimal comma; most digits before and behind it: %d and %d", of, c.whole, c.fraction)}
	case c.may(thousands) && c.thousands > 0 && c.comma == 0:
		return verdict{"decimal", "numeric", "decimal: " + of + ", with commas between thousands"}
	case c.may(date):
		return verdict{"date", "", "date: " + of}
	case c.may(datetime):
		return verdict{"datetime", "", "datetime: " + of + "; where one has no zone it is UTC"}
	case c.may(identifier):
		return verdict{"uuid", "", "uuid: " + of}
	case c.may(dated):
		return c.judgeDated(of)
	default:
		return verdict{"text", "", fmt.Sprintf("text: longest %s%s", counted(c.longest, "character"), c.reservation())}
	}
}

func (c *observed) may(what kind) bool {
	return slices.ContainsFunc(c.guesses, func(g guess) bool { return g.kind == what })
}

// flag is the evidence that the column is a boolean, empty when there is none.
func (c *observed) flag() string {
	if c.blanks > 0 || len(c.words) == fewWords {
		return ""
	}
	words := slices.Sorted(maps.Keys(c.words))
	for _, f := range flags {
		pair := !slices.ContainsFunc(words, func(w string) bool { return w != f.yes && w != f.no })
		if !pair || f.both && len(words) < 2 {
			continue
		}
		if f.named && !c.called(flagNames) {
			continue
		}
		return "only " + strings.Join(words, " and ")
	}
	return ""
}

func (c *observed) judgePointed(of, delimiter string) verdict {
	digits := fmt.Sprintf("most digits before and behind the point: %d and %d", c.whole, c.fraction)
	switch {
	case c.doubtful == c.filled && delimiter == ";":
		return verdict{"text", "", "text: 1.234 could be one and a bit or a thousand: " +
			`if it is a number, say type: decimal, and for thousands transform: {numeric: {decimal_separator: ","}}`}
	case c.may(decimal):
		return verdict{"decimal", "", "decimal: " + of + "; " + digits}
	default:
		return verdict{"float", "", "float: " + of + "; " + digits + "; a float loses none"}
	}
}

func (c *observed) judgeDated(of string) verdict {
	var first *guess
	for i, g := range c.guesses {
		switch {
		case g.kind != dated:
		case first == nil:
			first = &c.guesses[i]
		case first.order != g.order:
			return verdict{"text", "", fmt.Sprintf("text: dates, but day or month first? Every value fits both; "+
				"when you know, say type: %s and transform: {date: %q} or {date: %q}", dateType(g), first.format, g.format)}
		}
	}
	return verdict{dateType(*first), fmt.Sprintf("{date: %q}", first.format), dateType(*first) + ": " + of + " in this format"}
}

func dateType(g guess) string {
	if g.timed {
		return "datetime"
	}
	return "date"
}

// reservation says why a column that looks like something else stays text.
func (c *observed) reservation() string {
	switch {
	case c.blanks > 0:
		return "; cells of nothing but blanks, which are no NULL"
	case c.may(moment):
		return "; dates with and without a time of day"
	case c.may(numeral) && c.zeros > 0:
		return "; digits with leading zeros, which a number would lose"
	case c.may(numeral) && c.signs > 0:
		return "; digits with a plus, which a number would lose"
	case c.may(numeral) && c.long > 0:
		return "; numbers of 16 or more digits"
	case (c.may(comma) || c.may(thousands)) && c.comma+c.thousands+c.doubtful > 0:
		return "; numbers with commas, which could be decimal or stand between thousands"
	case c.objects == c.filled:
		return "; JSON? A field can lead into it: from: column.key"
	default:
		return ""
	}
}
