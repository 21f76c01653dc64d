// Package line reads command lines along kong's model: an unfinished one to say what may come next, a wrong one to say
// what is wrong in words a person can act on. It reads the model and the words, nothing else: no file, no environment.
package line

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"
)

// line is how far words could be read.
type line struct {
	// node is the command that was reached; the program itself before one is named.
	node *kong.Node
	// flags may be given here.
	flags []*kong.Flag
	given map[*kong.Flag]bool
	// global are the flags of the program itself, settings those of them that have a value, as --name=value.
	global   []*kong.Flag
	settings []string
	// args counts the arguments of the command.
	args int
	// open is the flag whose value has to come next.
	open *kong.Flag
	// rest says that flags have ended with --.
	rest bool
	// problem is the first mistake, empty when there is none.
	problem string
	// lost says that a word is unknown, so that nothing behind it can be read for certain.
	lost bool
}

func read(model *kong.Application, words []string) *line {
	l := &line{node: model.Node, flags: model.Flags, global: model.Flags, given: map[*kong.Flag]bool{}}
	for _, word := range words {
		switch {
		case l.open != nil:
			l.value(l.open, word)
			l.open = nil
		case l.rest:
			l.argument(word)
		case word == "--":
			l.rest = true
		case strings.HasPrefix(word, "--"):
			l.long(word)
		case len(word) > 1 && word[0] == '-':
			l.short(word)
		default:
			l.argument(word)
		}
	}
	return l
}

func (l *line) long(word string) {
	name, value, has := strings.Cut(word, "=")
	flag := l.flag(name)
	if flag == nil {
		l.lose("unknown flag %q%s", name, hint(name, l.flagNames()))
		return
	}
	l.given[flag] = true
	switch {
	case has:
		l.value(flag, value)
	case !flag.IsBool():
		l.open = flag
	}
}

// short reads -o, -oVALUE and flags without values that are written together.
func (l *line) short(word string) {
	for i, letter := range word[1:] {
		flag := l.shortFlag(letter)
		if flag == nil {
			// One dash too few is the mistake people make.
			name, _, _ := strings.Cut(word, "=")
			l.lose("unknown flag %q%s", name, hint("-"+name, l.flagNames()))
			return
		}
		l.given[flag] = true
		if flag.IsBool() {
			continue
		}
		if value := word[1+i+utf8.RuneLen(letter):]; value != "" {
			l.value(flag, value)
		} else {
			l.open = flag
		}
		return
	}
}

func (l *line) value(flag *kong.Flag, word string) {
	// A choice like --output decides nothing else.
	if flag.Enum == "" && slices.Contains(l.global, flag) {
		l.settings = append(l.settings, "--"+flag.Name+"="+word)
	}
	l.judge("--"+flag.Name, flag.Value, word)
}

func (l *line) argument(word string) {
	if len(l.node.Children) > 0 {
		l.command(word)
		return
	}
	argument := l.current()
	if argument == nil {
		l.lose("unexpected argument %q", word)
		return
	}
	l.judge("<"+argument.Name+">", argument, word)
	l.args++
}

func (l *line) command(word string) {
	var names []string
	for _, child := range l.node.Children {
		if child.Name == word {
			l.node, l.flags = child, append(l.flags[:len(l.flags):len(l.flags)], child.Flags...)
			return
		}
		if !child.Hidden {
			names = append(names, child.Name)
		}
	}
	l.lose("unknown command %q%s", word, hint(word, names))
}

// current is the argument that comes next, nil when there is none.
func (l *line) current() *kong.Positional {
	all := l.node.Positional
	if l.args < len(all) {
		return all[l.args]
	}
	if len(all) > 0 && all[len(all)-1].IsCumulative() {
		return all[len(all)-1]
	}
	return nil
}

func (l *line) flag(name string) *kong.Flag {
	for _, flag := range l.flags {
		if "--"+flag.Name == name {
			return flag
		}
	}
	return nil
}

func (l *line) shortFlag(letter rune) *kong.Flag {
	for _, flag := range l.flags {
		if flag.Short == letter {
			return flag
		}
	}
	return nil
}

func (l *line) flagNames() []string {
	var names []string
	for _, flag := range l.flags {
		if !flag.Hidden {
			names = append(names, "--"+flag.Name)
		}
	}
	return names
}
