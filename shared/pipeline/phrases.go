package pipeline

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"ingest/shared/column"
	"ingest/shared/importer"
)

// complaint is what is wrong with a value that a transform cannot read. It says what the rule of that name says, in
// the importer's own words where it has some; an expression has a problem of its own instead.
type complaint struct {
	rule, line string
	problem    column.Problem
}

func complain(rule string) *complaint { return &complaint{rule: rule, line: lines[rule]} }

// saying is a message with what stands for its placeholders: name and text by turns.
type saying struct {
	line  string
	pairs []string
}

func say(line string, pairs ...string) saying { return saying{line, pairs} }

// phrases are an importer's own messages and names of columns, by primary source name. Nil has none.
type phrases struct {
	messages   map[string]string
	attributes map[string]string
}

func newPhrases(d importer.Definition, n *names) *phrases {
	if len(d.Messages) == 0 && len(d.Attributes) == 0 {
		return nil
	}
	p := &phrases{map[string]string{}, map[string]string{}}
	primary := func(name string) string {
		for _, list := range d.Nested {
			if strings.HasPrefix(name, list.From[0]+".") {
				return name // a key of its objects
			}
		}
		name, _ = n.column(name)
		return name
	}
	for key, text := range d.Messages {
		if column, rule, of := importer.MessageOf(key); of {
			key = primary(column) + "." + rule
		}
		p.messages[key] = text
	}
	for name, text := range d.Attributes {
		p.attributes[primary(name)] = text
	}
	return p
}

// words is a column as messages say it: by the importer's attributes, else its primary name in words.
func (p *phrases) words(primary string) string {
	if p != nil {
		if text, ok := p.attributes[primary]; ok {
			return text
		}
	}
	return Words(primary)
}

// names says whether the importer has a name of its own for a column.
func (p *phrases) names(primary string) bool {
	if p == nil {
		return false
	}
	_, ok := p.attributes[primary]
	return ok
}

// message is what the importer says when a column breaks a rule: its words for the column, for the rule, or the
// language's line.
func (p *phrases) message(primary, rule, line string) string {
	if p == nil {
		return line
	}
	for _, key := range []string{primary + "." + rule, rule} {
		if text, ok := p.messages[key]; ok {
			return text
		}
	}
	return line
}

// sentence fills the placeholders of a message. They are exact words behind a colon, in three spellings: :value,
// :Value begins with a capital, :VALUE is all capitals. What is no placeholder of the message stays as it is.
func sentence(line, attribute string, pairs ...string) string {
	if !strings.Contains(line, ":") {
		return line
	}
	pairs = append([]string{"attribute", attribute}, pairs...)
	var b strings.Builder
	for {
		before, rest, more := strings.Cut(line, ":")
		b.WriteString(before)
		if !more {
			return b.String()
		}
		end := 0
		for end < len(rest) && (rest[end] == '_' || rest[end] < utf8.RuneSelf && unicode.IsLetter(rune(rest[end]))) {
			end++
		}
		if text, ok := placeholder(rest[:end], pairs); ok {
			b.WriteString(text)
		} else {
			b.WriteString(":" + rest[:end])
		}
		line = rest[end:]
	}
}

func placeholder(name string, pairs []string) (string, bool) {
	for i := 0; i+1 < len(pairs); i += 2 {
		switch key, text := pairs[i], pairs[i+1]; name {
		case key:
			return text, true
		case strings.ToUpper(key):
			return strings.ToUpper(text), true
		case capitalized(key):
			return capitalized(text), true
		}
	}
	return "", false
}

func capitalized(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return text
	}
	return string(unicode.ToUpper(first)) + text[size:]
}

// rulesOf are the rules whose messages say what a conversion says.
var rulesOf = map[column.Problem]string{
	"must be an integer.":          "integer",
	"must be a number.":            "numeric",
	"must be true or false.":       "boolean",
	"must be a valid date.":        "date",
	"must be a valid UUID.":        "uuid",
	"must be a valid JSON string.": "json",
	column.NotMember:               "in",
}

// complaint is the message of a value that a transform cannot read.
func (p *phrases) complaint(f *field, c *complaint) string {
	if c.problem != "" {
		return p.problem(f, c.problem)
	}
	return sentence(p.message(f.source, c.rule, c.line), f.words)
}

// problem is the message of a value that cannot be computed or converted.
func (p *phrases) problem(f *field, problem column.Problem) string {
	// Only lines have placeholders: a problem may quote an expression, colons and all.
	line := "The " + f.words + " field " + string(problem)
	if rule, ok := rulesOf[problem]; ok {
		return sentence(p.message(f.source, rule, line), f.words)
	}
	return line
}
