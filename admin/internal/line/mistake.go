package line

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"ingest/shared/importer/document"
)

// Mistake says what is wrong with a command line, empty when nothing is that can be seen from the words alone.
func Mistake(model *kong.Application, words []string) string {
	l := read(model, words)
	if l.problem == "" {
		l.unfinished()
	}
	return l.problem
}

// OneOf says that a value is none of the choices, and which one was probably meant.
func OneOf(name, value string, choices []string) string {
	return fmt.Sprintf("%s is one of %s, not %q%s", name, strings.Join(choices, ", "), value, hint(value, choices))
}

// mistake keeps the first one: what follows it is often its consequence.
func (l *line) mistake(format string, args ...any) {
	if l.problem == "" {
		l.problem = fmt.Sprintf(format, args...)
	}
}

func (l *line) lose(format string, args ...any) {
	l.mistake(format, args...)
	l.lost = true
}

// unfinished finds what is missing.
func (l *line) unfinished() {
	argument := l.current()
	switch {
	case l.open != nil:
		l.mistake("--%s needs a value", l.open.Name)
	case len(l.node.Children) > 0:
		l.mistake("which command? `ingest --help` lists them")
	case argument != nil && argument.Required && l.args < len(l.node.Positional):
		l.mistake("%s needs <%s>", l.node.Path(), argument.Name)
	}
	for _, flag := range l.node.Flags {
		if flag.Required && !l.given[flag] {
			l.mistake("%s needs --%s", l.node.Path(), flag.Name)
		}
	}
}

// judge finds what kong would refuse, in words of our own.
func (l *line) judge(name string, value *kong.Value, word string) {
	kind := value.Target.Kind()
	if value.Target.Type() == reflect.TypeFor[time.Duration]() {
		if _, err := time.ParseDuration(word); err != nil {
			l.mistake("%s is a duration like 15s, 2m30s or 1h, not %q", name, word)
		}
		return
	}
	switch {
	case value.IsBool():
		if !slices.Contains([]string{"true", "1", "yes", "false", "0", "no"}, strings.ToLower(word)) {
			l.mistake("%s is true or false, not %q", name, word)
		}
	case value.Enum != "" && !slices.Contains(value.EnumSlice(), word):
		l.mistake("%s", OneOf(name, word, value.EnumSlice()))
	case kind == reflect.Int || kind == reflect.Int64:
		if _, err := strconv.ParseInt(word, 0, 64); err != nil {
			l.mistake("%s is a whole number, not %q", name, word)
		}
	case kind == reflect.Float64:
		if _, err := strconv.ParseFloat(word, 64); err != nil {
			l.mistake("%s is a number, not %q", name, word)
		}
	}
}

// hint is what was probably meant, ready to follow a text.
func hint(name string, known []string) string {
	if suggestion := document.Suggest(name, known); suggestion != "" {
		return ", " + suggestion
	}
	return ""
}
