package line

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Noun is what a value stands for, so that its values can be looked up.
type Noun string

// The nouns. Values are recognised by their placeholder, arguments by their name.
const (
	Importer  Noun = "importer"
	Run       Noun = "run"
	Status    Noun = "status"
	LogRows   Noun = "log-rows"
	LogLevel  Noun = "log-level"
	LogFormat Noun = "log-format"
	// File and Directory are completed by the shell itself.
	File      Noun = "file"
	Directory Noun = "directory"
)

// Candidate is one way to go on.
type Candidate struct{ Value, Help string }

// Completion is what may come next.
type Completion struct {
	Candidates []Candidate
	// Shell is File or Directory when the shell has to complete names of its own, else empty.
	Shell Noun
}

// Lookup finds the values of a noun. The settings are flags given before that decide which there are.
type Lookup func(noun Noun, settings []string) []Candidate

// Complete says how the last of the words, which may be empty, can be completed.
func Complete(model *kong.Application, words []string, lookup Lookup) Completion {
	if len(words) == 0 {
		return Completion{}
	}
	last := len(words) - 1
	l, word := read(model, words[:last]), words[last]
	name, value, assigned := strings.Cut(word, "=")
	switch {
	case l.lost:
		return Completion{}
	case l.open != nil:
		return l.values(l.open.Value, "", word, lookup)
	case !l.rest && assigned && strings.HasPrefix(word, "--"):
		if flag := l.flag(name); flag != nil {
			return l.values(flag.Value, name+"=", value, lookup)
		}
		return Completion{}
	case !l.rest && strings.HasPrefix(word, "-"):
		return Completion{Candidates: having(word, l.flagCandidates())}
	case len(l.node.Children) > 0:
		return Completion{Candidates: having(word, commands(l.node))}
	}
	if argument := l.current(); argument != nil {
		return l.values(argument, "", word, lookup)
	}
	return Completion{}
}

func (l *line) values(of *kong.Value, before, word string, lookup Lookup) Completion {
	var found []Candidate
	switch noun := nounOf(of); {
	case of.Enum != "":
		for _, choice := range of.EnumSlice() {
			found = append(found, Candidate{Value: choice})
		}
	case noun == File || noun == Directory:
		return Completion{Shell: noun}
	case noun != "":
		found = lookup(noun, l.settings)
	}
	found = having(word, found)
	for i := range found {
		found[i].Value = before + found[i].Value
	}
	return Completion{Candidates: found}
}

func nounOf(v *kong.Value) Noun {
	if v.Flag == nil {
		switch v.Name {
		case "importer":
			return Importer
		case "id":
			return Run
		}
		return ""
	}
	switch v.Flag.PlaceHolder {
	case "SLUG":
		return Importer
	case "STATUS":
		return Status
	case "FILE":
		return File
	case "DIR":
		return Directory
	}
	switch noun := Noun(v.Name); noun {
	case LogRows, LogLevel, LogFormat:
		return noun
	default:
		return ""
	}
}

func (l *line) flagCandidates() []Candidate {
	var found []Candidate
	// The command's own come first.
	for _, flag := range slices.Concat(l.flags[len(l.global):], l.global) {
		if !flag.Hidden && !l.given[flag] {
			found = append(found, Candidate{"--" + flag.Name, flag.Help})
		}
	}
	return found
}

func commands(node *kong.Node) []Candidate {
	var found []Candidate
	for _, child := range node.Children {
		if !child.Hidden {
			found = append(found, Candidate{child.Name, child.Help})
		}
	}
	return found
}

func having(prefix string, all []Candidate) []Candidate {
	return slices.DeleteFunc(all, func(c Candidate) bool { return !strings.HasPrefix(c.Value, prefix) })
}

// Text is a completion as the scripts read it: a line per candidate, its value and its help with a tab between, and
// :file or :directory where the shell has to go on.
func (c Completion) Text() string {
	var text strings.Builder
	for _, candidate := range c.Candidates {
		text.WriteString(oneLine(candidate.Value))
		if candidate.Help != "" {
			text.WriteString("\t" + oneLine(candidate.Help))
		}
		text.WriteByte('\n')
	}
	if c.Shell != "" {
		text.WriteString(":" + string(c.Shell) + "\n")
	}
	return text.String()
}

// oneLine keeps a text from breaking the form and from driving the terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}
