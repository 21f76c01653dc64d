package reference

import (
	"cmp"
	"encoding/csv"
	"errors"
	"io"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	integerText = regexp.MustCompile(`^[+-]?[0-9]+$`)
	numberText  = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$`)
)

// eachRow reads a file: the first row is the header, lines of only blanks and rows of only delimiters are none.
func eachRow(file io.Reader, visit func(number int64, line int, header, cells []string)) error {
	reader := csv.NewReader(file)
	reader.FieldsPerRecord = -1
	header, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	var number int64
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if strings.Join(cells, "") == "" || len(cells) == 1 && strings.Trim(cells[0], " \t") == "" {
			continue
		}
		number++
		line, _ := reader.FieldPos(0)
		visit(number, line, header, cells)
	}
}

// validate returns the row's message, "" when all rules hold, and counts every message of a field.
func (i Importer) validate(source map[string]string, result *Result) string {
	var all []string
	for _, rule := range i.Rules {
		for _, message := range check(rule, source[rule.Column]) {
			all = append(all, message)
			result.Validation[rule.Column+": "+message]++
		}
	}
	return summary(all)
}

func summary(messages []string) string {
	switch len(messages) {
	case 0:
		return ""
	case 1:
		return messages[0]
	case 2:
		return messages[0] + " (and 1 more error)"
	default:
		return messages[0] + " (and " + strconv.Itoa(len(messages)-1) + " more errors)"
	}
}

// check returns the messages of one column's rules, in their order.
func check(rule Rule, cell string) []string {
	rules := strings.Split(rule.Rules, "|")
	words := Words(rule.Column)
	blank := strings.TrimSpace(cell) == ""
	isNumber := strings.Contains("|"+rule.Rules+"|", "|numeric|") || strings.Contains("|"+rule.Rules+"|", "|integer|")
	var found []string
	typeFailed := false
	for _, text := range rules {
		name, args, _ := strings.Cut(text, ":")
		if name == "required" {
			if blank {
				return append(found, "The "+words+" field is required.")
			}
			continue
		}
		if blank {
			continue
		}
		failed := ""
		switch name {
		case "numeric":
			if !numberText.MatchString(strings.TrimSpace(cell)) {
				failed, typeFailed = "must be a number.", true
			}
		case "integer":
			if !integerText.MatchString(strings.TrimSpace(cell)) {
				failed, typeFailed = "must be an integer.", true
			}
		case "min", "max", "between", "digits":
			if !typeFailed {
				failed = size(name, strings.Split(args, ","), cell, isNumber)
			}
		case "in":
			if !strings.Contains(","+args+",", ","+cell+",") {
				found = append(found, "The selected "+words+" is invalid.")
			}
		}
		if failed != "" {
			found = append(found, "The "+words+" field "+failed)
		}
	}
	return found
}

// size is what is wrong with a cell's size, "" when nothing is. Sizes are of characters unless the field is a number.
func size(name string, args []string, cell string, isNumber bool) string {
	has, unit := new(big.Rat).SetInt64(int64(utf8.RuneCountInString(cell))), " characters."
	if isNumber {
		has, unit = number(cell), "."
	}
	limit := func(n int) *big.Rat { return number(args[n]) }
	switch {
	case name == "min" && has.Cmp(limit(0)) < 0:
		return "must be at least " + args[0] + unit
	case name == "max" && has.Cmp(limit(0)) > 0:
		return "must not be greater than " + args[0] + unit
	case name == "between" && (has.Cmp(limit(0)) < 0 || has.Cmp(limit(1)) > 0):
		return "must be between " + args[0] + " and " + args[1] + unit
	case name == "digits" && (strconv.Itoa(len(cell)) != args[0] || !integerText.MatchString(cell) || strings.ContainsAny(cell, "+-")):
		return "must be " + args[0] + " digits."
	}
	return ""
}

func number(text string) *big.Rat {
	value, ok := new(big.Rat).SetString(strings.TrimPrefix(strings.TrimSpace(text), "+"))
	if !ok {
		return new(big.Rat)
	}
	return value
}

// values returns the row as it is written: by destination column, NULL as nil.
func (i Importer) values(source map[string]string, result *Result) (map[string]*string, string) {
	values := map[string]*string{}
	var problems []string
	for _, field := range i.Fields {
		cell, present := source[field.From]
		if !present {
			continue
		}
		value := transform(cell, field.Transform)
		if value == nil {
			values[field.To] = nil
			continue
		}
		converted, problem := convert(*value, field)
		if problem != "" {
			message := "The " + Words(field.From) + " field " + problem
			problems = append(problems, message)
			result.Validation[field.From+": "+message]++
			continue
		}
		values[field.To] = &converted
	}
	return values, summary(problems)
}

// transform applies the steps to a cell; an empty cell is NULL, which only default changes.
func transform(cell string, steps []string) *string {
	value := &cell
	if cell == "" {
		value = nil
	}
	for _, step := range steps {
		name, replacement, _ := strings.Cut(step, ":")
		switch {
		case name == "default" && value == nil:
			value = &replacement
		case value == nil || name == "default":
		case name == "trim":
			text := strings.TrimSpace(*value)
			value = &text
		case name == "lower":
			text := strings.ToLower(*value)
			value = &text
		case name == "upper":
			text := strings.ToUpper(*value)
			value = &text
		}
	}
	return value
}

// convert returns the value in the form that all databases' prints are brought to (see Number), or what is wrong.
func convert(text string, field Field) (value, problem string) {
	kind, arguments, _ := strings.Cut(field.kind(), "(")
	switch kind {
	case "integer", "bigint":
		if !integerText.MatchString(strings.TrimSpace(text)) {
			return "", "must be an integer."
		}
		return number(text).Num().String(), ""
	case "decimal":
		if !numberText.MatchString(strings.TrimSpace(text)) {
			return "", "must be a number."
		}
		_, scaleText, _ := strings.Cut(strings.TrimSuffix(arguments, ")"), ",")
		scale, err := strconv.Atoi(strings.TrimSpace(scaleText))
		if err != nil {
			scale = 0
		}
		// FloatString rounds half away from zero, as decimals are rounded.
		return Number(number(text).FloatString(scale)), ""
	case "float":
		value, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			return "", "must be a number."
		}
		return Number(strconv.FormatFloat(value, 'f', -1, 64)), ""
	default:
		return text, ""
	}
}

// Number brings a number as a database prints it to one form: no exponent, no zeros at the end, no negative zero. Other
// texts are returned as they are.
func Number(text string) string {
	if !numberText.MatchString(text) {
		return text
	}
	digits := text
	if strings.ContainsAny(text, "eE") {
		digits = number(text).FloatString(40)
	}
	sign := ""
	if digits[0] == '-' {
		sign = "-"
	}
	whole, fraction, _ := strings.Cut(strings.TrimLeft(digits, "+-0"), ".")
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		return sign + cmp.Or(whole, "0") + "." + fraction
	}
	if whole == "" {
		return "0"
	}
	return sign + whole
}

// Words is a column's name as messages say it: "user_email" → "user email", "usageType" → "usage type".
func Words(column string) string {
	var words strings.Builder
	previous := ' '
	for _, r := range column {
		if unicode.IsUpper(r) && unicode.IsLower(previous) {
			words.WriteByte(' ')
		}
		if r == '_' {
			r = ' '
		}
		words.WriteRune(unicode.ToLower(r))
		previous = r
	}
	return strings.Join(strings.Fields(words.String()), " ")
}
