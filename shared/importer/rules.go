package importer

import (
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"ingest/shared/importer/document"
)

// rules reads the rules of source columns. A column that no field maps may have rules too.
func (p *parsing) rules(n *document.Node) {
	if !p.Table(n, "rules") {
		return
	}
	for _, e := range n.Entries {
		column := e.Key.Text
		if strings.TrimSpace(column) == "" {
			p.Report(e.Key, "", "rules need the name of a source column")
			continue
		}
		rules := Rules{Column: column}
		switch e.Value.Kind {
		case document.Scalar:
			for _, piece := range splitRules(e.Value.Text) {
				p.rule(&rules, piece.text, e.Value.At(piece.at))
			}
		case document.List:
			for _, item := range e.Value.Items {
				if text, ok := p.Text(item, "a rule"); ok {
					p.rule(&rules, text, item)
				}
			}
		default:
			p.Report(e.Value, "", "the rules of '%s' must be text like required|integer or a list, this is %s",
				column, e.Value.Kind)
		}
		if len(rules.Rules) > 0 {
			p.d.Rules = append(p.d.Rules, rules)
		}
	}
}

func (p *parsing) rule(rules *Rules, text string, at *document.Node) {
	rule, err := parseRule(text)
	if err == nil && p.checks.Rule != nil {
		err = p.checks.Rule(rule)
	}
	if err != nil {
		p.Report(at, "", "%v", err)
		return
	}
	rules.Rules = append(rules.Rules, rule)
}

// parseRule reads one rule: `required`, `between:1,5`, `in:"a,b",c`. A pattern is one argument, commas and all.
func parseRule(text string) (Rule, error) {
	name, args, has := strings.Cut(text, ":")
	rule := Rule{Name: strings.TrimSpace(name)}
	if rule.Name == "" {
		return Rule{}, errors.New("an empty rule")
	}
	if !has {
		return rule, nil
	}
	if rule.Name == "regex" {
		rule.Args = []string{args}
		return rule, nil
	}
	if !strings.Contains(args, `"`) {
		rule.Args = strings.Split(args, ",")
		return rule, nil
	}
	cells := csv.NewReader(strings.NewReader(args))
	cells.LazyQuotes = true
	split, err := cells.Read()
	if err != nil {
		return Rule{}, fmt.Errorf("the arguments of %q cannot be read: %w", rule.Name, err)
	}
	rule.Args = split
	return rule, nil
}

type piece struct {
	text string
	at   int
}

// splitRules cuts at each `|`, but not within the delimiters of a pattern: `regex:/a|b/|required` are two rules.
func splitRules(text string) []piece {
	var pieces []piece
	start := 0
	for start <= len(text) {
		rest := text[start:]
		end := strings.IndexByte(rest, '|')
		if strings.HasPrefix(strings.TrimLeft(rest, " "), "regex:") {
			end = endOfPattern(rest)
		}
		if end < 0 {
			end = len(rest)
		}
		text := strings.TrimLeft(rest[:end], " ")
		pieces = append(pieces, piece{text: strings.TrimRight(text, " "), at: start + end - len(text)})
		start += end + 1
	}
	return pieces
}

// endOfPattern finds the `|` behind a pattern with delimiters, -1 when the pattern is the last rule. A pattern
// without delimiters ends at the first `|`.
func endOfPattern(rule string) int {
	from := strings.IndexByte(rule, ':') + 1
	opening, size := utf8.DecodeRuneInString(rule[from:])
	if size == 0 || unicode.IsLetter(opening) || unicode.IsDigit(opening) || strings.ContainsRune(`\|^ `, opening) {
		return strings.IndexByte(rule, '|')
	}
	closing := opening
	if i := strings.IndexRune("([{<", opening); i >= 0 {
		closing = rune(")]}>"[i])
	}
	escaped, closed := false, -1
	for i, r := range rule[from+size:] {
		switch {
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
		case r == closing:
			closed = from + size + i
		case r == '|' && closed >= 0 && flagsOnly(rule[closed+utf8.RuneLen(closing):from+size+i]):
			return from + size + i
		}
	}
	if closed < 0 {
		return strings.IndexByte(rule, '|')
	}
	return -1
}

// flagsOnly holds what may stand between a pattern's closing delimiter and the next rule.
func flagsOnly(text string) bool {
	return strings.Trim(text, "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
