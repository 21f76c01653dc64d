package draft

import (
	"hash/maphash"
	"slices"
	"strings"
	"unicode/utf8"

	"ingest/shared/column"
	"ingest/shared/pipeline"
)

// observed is what the rows so far say about a column.
type observed struct {
	header string
	at     int
	// to is the column of the table.
	to string
	// filled cells are values, empty ones are NULL, absent ones lie behind the end of a short row. blanks counts the filled
	// ones that are nothing but blanks.
	filled, empty, absent, blanks int
	longest                       int

	// guesses are those that every value so far agrees with.
	guesses []guess
	// words are the first few different values in lower case.
	words map[string]bool
	// least and most bound the numbers among the values; whole and fraction are the most digits on either side of the point.
	least, most     bound
	whole, fraction int
	// comma and thousands count what proves that commas are decimal, or stand between thousands; doubtful are points that
	// could be either.
	comma, thousands, doubtful int
	zeros, signs, long         int
	objects                    int

	seed maphash.Seed
	// seen are sums of the values while none was there twice.
	seen     map[uint64]struct{}
	repeated bool
}

func newObserved(header string, at int, guesses []guess) *observed {
	return &observed{
		header: header, at: at, guesses: slices.Clone(guesses), words: map[string]bool{}, seed: maphash.MakeSeed(),
		seen: map[uint64]struct{}{},
	}
}

// ignored columns are never mapped by themselves.
func (c *observed) ignored() bool {
	name := strings.TrimSpace(c.header)
	return name == "" || strings.HasPrefix(name, "_")
}

// look takes a cell into account.
func (c *observed) look(text string) {
	if text == "" {
		c.empty++
		return
	}
	c.filled++
	c.longest = max(c.longest, utf8.RuneCountInString(text))
	short := column.Trim(text)
	if short == "" {
		c.blanks++
	}
	c.remember(short)
	c.guesses = slices.DeleteFunc(c.guesses, func(g guess) bool { return !g.takes(short) })
	c.measure(short)
}

// bound is the number that goes furthest in a direction, and its text, empty before the first one.
type bound struct {
	text   string
	number column.Number
}

func (b *bound) move(text string, n column.Number, direction int) {
	if b.text == "" || n.Compare(b.number)*direction > 0 {
		b.text = strings.Clone(text)
		b.number, _ = column.ParseNumber(b.text)
	}
}

// fewWords is how many different values a column of flags can have, and one more.
const fewWords = 3

func (c *observed) remember(text string) {
	text = strings.ToLower(text)
	if len(c.words) < fewWords {
		c.words[strings.Clone(text)] = true
	}
	if c.repeated {
		return
	}
	sum := maphash.String(c.seed, text)
	if _, c.repeated = c.seen[sum]; c.repeated {
		c.seen = nil
		return
	}
	c.seen[sum] = struct{}{}
}

// measure takes note of what tells numbers apart that look alike.
func (c *observed) measure(text string) {
	if text == "" {
		return
	}
	if text[0] == '{' || text[0] == '[' {
		c.objects++
	}
	digits := strings.TrimLeft(text, "+-")
	if text[0] == '+' {
		c.signs++
	}
	if len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		c.zeros++
	}
	if figures := strings.Count(digits, "") - 1; figures > safeDigits && column.IsInteger(digits) {
		c.long++
	}
	if n, is := column.ParseNumber(text); is {
		c.least.move(text, n, -1)
		c.most.move(text, n, 1)
	}
	c.measurePoints(digits)
}

func (c *observed) measurePoints(digits string) {
	if strings.Trim(digits, "0123456789.,") != "" {
		return
	}
	points, commas := strings.Count(digits, "."), strings.Count(digits, ",")
	point, comma := strings.LastIndexByte(digits, '.'), strings.LastIndexByte(digits, ',')
	last := max(point, comma)
	if last < 0 {
		c.whole = max(c.whole, len(digits))
		return
	}
	behind := len(digits) - last - 1
	// 1.234 and 1,234 may be thousands; 0.234 and 1234.567 are not.
	group := behind == 3 && last <= 3 && digits[0] != '0'
	switch {
	case commas > 1 && points <= 1, commas > 0 && points == 1 && comma < point:
		c.thousands++
	case points > 1 && commas == 1, points > 0 && commas == 1 && point < comma, commas == 1 && points == 0 && !group:
		c.comma++
	case points == 1 && commas == 0 && group, commas == 1 && points == 0:
		c.doubtful++
	}
	c.whole, c.fraction = max(c.whole, last), max(c.fraction, behind)
}

// unique says that every row has a value of its own.
func (c *observed) unique(rows int) bool {
	return rows > 1 && c.filled == rows && c.blanks == 0 && !c.repeated
}

// required says that no row is without a value.
func (c *observed) required(rows int) bool { return rows > 0 && c.filled-c.blanks == rows }

// called says whether one of the words of the header is among these.
func (c *observed) called(names map[string]bool) bool {
	for _, word := range strings.FieldsFunc(pipeline.Words(c.header), func(r rune) bool { return strings.ContainsRune(" .-/", r) }) {
		if names[word] {
			return true
		}
	}
	return false
}
