package pipeline

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// Bounds of the regex rule: what a pattern may cost to compile and a text to match.
const (
	maxPattern = 1 << 10
	maxMatched = 1 << 16
)

// compilePattern translates a PCRE pattern with delimiters and flags.
func compilePattern(text string) (*regexp.Regexp, error) {
	pattern, err := translate(text)
	if err != nil {
		return nil, err
	}
	expression, err := regexp.Compile(pattern)
	if err != nil {
		return nil, refused(err)
	}
	return expression, nil
}

// buildRegex is a rule that texts beyond maxMatched break.
func buildRegex(c ruleContext) (ruleTest, error) {
	expression, err := compilePattern(c.args[0])
	if err != nil {
		return ruleTest{}, err
	}
	return c.test(func(text string) bool { return len(text) <= maxMatched && expression.MatchString(text) })
}

func translate(text string) (string, error) {
	if len(text) > maxPattern {
		return "", fmt.Errorf("has a pattern of more than %d bytes", maxPattern)
	}
	if text == "" || alphanumeric(text[0]) || strings.IndexByte("\\^$ \t", text[0]) >= 0 {
		return "", errors.New("needs a pattern between delimiters, such as /^[A-Z]+$/i")
	}
	closing := text[0]
	if i := strings.IndexByte("([{<", closing); i >= 0 {
		closing = ")]}>"[i]
	}
	end := strings.LastIndexByte(text, closing)
	if end <= 0 {
		return "", fmt.Errorf("has a pattern that begins with %c and never ends", text[0])
	}
	pattern := text[1:end]
	if problem := unsupported(pattern); problem != "" {
		return "", fmt.Errorf("has a pattern with %s, which is not supported", problem)
	}
	flags := ""
	for _, flag := range text[end+1:] {
		switch flag {
		case 'i', 'm', 's':
			if !strings.ContainsRune(flags, flag) {
				flags += string(flag)
			}
		case 'u':
			// RE2 always reads characters.
		default:
			return "", fmt.Errorf("has a pattern with the flag '%c'; there are i, m, s and u", flag)
		}
	}
	if flags == "" {
		return pattern, nil
	}
	return "(?" + flags + ")" + pattern, nil
}

// unsupported names what PCRE has and RE2 has not, where RE2's own message would not help.
func unsupported(pattern string) string {
	class := false
	for i := 0; i < len(pattern); i++ {
		rest := pattern[i:]
		switch {
		case rest[0] == '\\':
			if !class && len(rest) > 1 && (rest[1] >= '1' && rest[1] <= '9' || rest[1] == 'k') {
				return "a back-reference"
			}
			i++
		case class:
			class = rest[0] != ']'
		case rest[0] == '[':
			class = true
			// A bracket right after the opening one is a character of the class.
			i += len(rest) - 1 - len(strings.TrimPrefix(strings.TrimPrefix(rest[1:], "^"), "]"))
		case hasAnyPrefix(rest, "(?=", "(?!", "(?<=", "(?<!"):
			return "look-around"
		case hasAnyPrefix(rest, "(?>", "++", "*+", "?+"):
			return "an atomic group or a possessive repetition"
		}
	}
	return ""
}

func hasAnyPrefix(text string, prefixes ...string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

func refused(err error) error {
	var problem *syntax.Error
	if errors.As(err, &problem) {
		return fmt.Errorf("has a pattern that cannot be read: %s: %s", problem.Code, problem.Expr)
	}
	return fmt.Errorf("has a pattern that cannot be read: %w", err)
}
