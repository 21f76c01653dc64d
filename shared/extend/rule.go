package extend

import (
	"fmt"
	"slices"
)

// Rule judges cells of a source column: `rules: {COLUMN: "NAME:ARGUMENT,ARGUMENT"}`.
type Rule struct {
	Name string
	// Least and Most bound the number of arguments; Most -1 is any number.
	Least, Most int
	// Message is that of a cell that breaks the rule. :attribute stands for the column, :values for the arguments. An
	// importer may have another under `messages`.
	Message string
	// New judges the arguments, when an importer is read and for every run, and returns what judges cells. Its error goes on
	// after the name: "needs a country of two letters".
	//
	// What it returns is asked about cells that are more than blanks only; they may be invalid UTF-8.
	New func(args []string) (func(text string) bool, error)
}

// Rule is the one of that name.
func (x Extensions) Rule(name string) (Rule, bool) {
	return find(x.Rules, func(r Rule) bool { return r.Name == name })
}

// Build gives the rule its arguments, as many as it takes. The error goes on after the name of the rule.
func (r Rule) Build(args []string) (passes func(text string) bool, err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("has a bug: it panicked at its arguments")
		}
	}()
	return r.New(slices.Clone(args))
}
