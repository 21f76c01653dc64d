package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"ingest/shared/column"
)

func isNumber(text string) bool {
	_, ok := column.ParseNumber(text)
	return ok
}

func isBoolean(text string) bool {
	text = column.Trim(text)
	return text == "1" || text == "0" || strings.EqualFold(text, "true") || strings.EqualFold(text, "false")
}

func isIP(text string) bool {
	address, err := netip.ParseAddr(text)
	return err == nil && address.Zone() == ""
}

func isUUID(text string) bool {
	if len(text) != len("00000000-0000-0000-0000-000000000000") {
		return false
	}
	for i := range len(text) {
		c := text[i]
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if hyphen != (c == '-') || !hyphen && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}

func isJSON(text string) bool { return json.Valid([]byte(text)) }

func buildIn(c ruleContext) (ruleTest, error) {
	return c.test(func(text string) bool { return slices.Contains(c.args, text) }, "values", strings.Join(c.args, ", "))
}

func buildNotIn(c ruleContext) (ruleTest, error) {
	return c.test(func(text string) bool { return !slices.Contains(c.args, text) }, "values", strings.Join(c.args, ", "))
}

func buildDigits(c ruleContext) (ruleTest, error) {
	n, err := count(c.args[0], "digits")
	return ruleTest{
		passes: func(text string) bool { return len(text) == n && onlyDigits(text) },
		says:   []saying{say(lines[c.name], "digits", c.args[0])},
	}, err
}

func buildDigitsBetween(c ruleContext) (ruleTest, error) {
	least, err := count(c.args[0], "digits")
	if err != nil {
		return ruleTest{}, err
	}
	most, err := count(c.args[1], "digits")
	if err != nil {
		return ruleTest{}, err
	}
	if least > most {
		return ruleTest{}, fmt.Errorf("needs the lesser number first, not '%s,%s'", c.args[0], c.args[1])
	}
	return c.test(func(text string) bool {
		return len(text) >= least && len(text) <= most && onlyDigits(text)
	}, "min", c.args[0], "max", c.args[1])
}

func count(text, of string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("needs a number of %s, not '%s'", of, text)
	}
	return n, nil
}

func onlyDigits(text string) bool { return strings.Trim(text, "0123456789") == "" }

// buildDecimal takes numbers without an exponent that have so many decimal places.
func buildDecimal(c ruleContext) (ruleTest, error) {
	least, err := count(c.args[0], "decimal places")
	if err != nil {
		return ruleTest{}, err
	}
	most, places := least, c.args[0]
	if len(c.args) == 2 {
		if most, err = count(c.args[1], "decimal places"); err != nil {
			return ruleTest{}, err
		}
		places += "-" + c.args[1]
	}
	if least > most {
		return ruleTest{}, fmt.Errorf("needs the lesser number first, not '%s,%s'", c.args[0], c.args[1])
	}
	return c.test(func(text string) bool {
		if !isNumber(text) || strings.ContainsAny(text, "eE") {
			return false
		}
		_, fraction, _ := strings.Cut(column.Trim(text), ".")
		return len(fraction) >= least && len(fraction) <= most
	}, "decimal", places)
}

// buildLetters takes letters of any script with their marks, and what the sample stands for: a digit for numbers of any
// script, other characters for themselves. With the argument `ascii` it takes letters and digits of ASCII alone.
func buildLetters(sample string) func(ruleContext) (ruleTest, error) {
	digits := strings.Contains(sample, "0")
	signs := strings.TrimPrefix(sample, "0")
	return func(c ruleContext) (ruleTest, error) {
		ascii := len(c.args) == 1
		if ascii && c.args[0] != "ascii" {
			return ruleTest{}, fmt.Errorf("knows only the argument 'ascii', not '%s'", c.args[0])
		}
		wrong := func(r rune) bool {
			switch {
			case ascii && r >= utf8.RuneSelf:
				return true
			case unicode.IsLetter(r) || unicode.IsMark(r), digits && unicode.IsNumber(r):
				return false
			default:
				return !strings.ContainsRune(signs, r)
			}
		}
		return c.test(func(text string) bool { return utf8.ValidString(text) && !strings.ContainsFunc(text, wrong) })
	}
}

func buildStartsWith(c ruleContext) (ruleTest, error) { return c.affix(strings.HasPrefix) }
func buildEndsWith(c ruleContext) (ruleTest, error)   { return c.affix(strings.HasSuffix) }

func (c ruleContext) affix(has func(text, affix string) bool) (ruleTest, error) {
	if slices.Contains(c.args, "") {
		return ruleTest{}, errors.New("needs texts that are not empty")
	}
	return c.test(func(text string) bool {
		return slices.ContainsFunc(c.args, func(affix string) bool { return has(text, affix) })
	}, "values", strings.Join(c.args, ", "))
}
