// Package extend is what a program of your own adds to the importer language: transforms, rules, field validators, formats,
// sources and destinations, each a value with a name. They are handed to admin.Main; nothing is registered behind anybody's back.
//
// What an extension owes: it is deterministic – the same input and options give the same result on every machine and at
// every time, because a chunk may be applied twice and a source be read again – and safe for concurrent use. Errors
// become messages that people read and that are counted, so that they must hold no cell, no secret and nothing else that
// differs from row to row. A panic fails the row, or the run where there is no row, never the process.
package extend

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Extensions are the names that a program adds. The zero value adds none. They are not changed once they are in use.
type Extensions struct {
	Transforms []Transform
	Rules      []Rule
	Validators []Validator
	Formats    []Format
	Sources    []Source
	// Destinations are named by the URLs of connections, not by the language.
	Destinations []Destination
}

// Names are names of the importer language by what they name.
type Names struct {
	Transforms, Rules, Validators, Formats, Sources []string
}

// Names are those of the extensions.
func (x Extensions) Names() Names {
	return Names{
		Transforms: namesOf(x.Transforms, func(t Transform) string { return t.Name }),
		Rules:      namesOf(x.Rules, func(r Rule) string { return r.Name }),
		Validators: namesOf(x.Validators, func(v Validator) string { return v.Name }),
		Formats:    namesOf(x.Formats, func(f Format) string { return f.Name }),
		Sources:    namesOf(x.Sources, func(s Source) string { return s.Name }),
	}
}

func namesOf[T any](list []T, name func(T) string) []string {
	var names []string
	for _, one := range list {
		names = append(names, name(one))
	}
	return names
}

// schemes are those of URLs that are the engine's own, strategies what a destination may have.
var (
	schemes = []string{
		"sqlite", "postgres", "postgresql", "mysql", "mariadb",
		"csv", "ndjson", "webhook", "redis", "rediss", "discard",
	}
	strategies = []string{"skip", "update", "upsert", "fail"}
)

var pattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// Check returns everything that is wrong with the extensions themselves: names that are no names, that the language has
// already, or that two of them have; parts that are missing.
func (x Extensions) Check(language Names) error {
	own := x.Names()
	all := []error{
		checkNames("transform", own.Transforms, language.Transforms),
		checkNames("rule", own.Rules, language.Rules),
		checkNames("validator", own.Validators, language.Validators),
		checkNames("format", own.Formats, language.Formats),
		checkNames("source", own.Sources, language.Sources),
	}
	lacks := func(noun, name, what string, missing bool) {
		if missing {
			all = append(all, fmt.Errorf("the extension %s '%s' has no %s", noun, name, what))
		}
	}
	for _, t := range x.Transforms {
		lacks("transform", t.Name, "New", t.New == nil)
	}
	for _, r := range x.Rules {
		lacks("rule", r.Name, "New", r.New == nil)
		lacks("rule", r.Name, "Message", r.Message == "")
	}
	for _, v := range x.Validators {
		lacks("validator", v.Name, "New", v.New == nil)
	}
	for _, f := range x.Formats {
		lacks("format", f.Name, "New", f.New == nil)
	}
	for _, s := range x.Sources {
		lacks("source", s.Name, "New", s.New == nil)
	}
	all = append(all, checkNames("destination", x.Schemes(), schemes))
	for _, d := range x.Destinations {
		lacks("destination", d.Name, "Open", d.Open == nil)
		for _, strategy := range d.Strategies {
			if !slices.Contains(strategies, strategy) {
				all = append(all, fmt.Errorf("the extension destination '%s' has an unknown strategy '%s'; there are %s",
					d.Name, strategy, strings.Join(strategies, ", ")))
			}
		}
	}
	for _, f := range x.Formats {
		all = append(all, checkOptions("format", f.Name, f.Options, "type", "nulls", "short_rows", "max_record"))
	}
	for _, s := range x.Sources {
		all = append(all, checkOptions("source", s.Name, s.Options, "type"))
	}
	return errors.Join(all...)
}

// checkOptions refuses options that stand beside keys of the engine and have their names.
func checkOptions(noun, name string, options []string, taken ...string) error {
	for _, option := range options {
		if slices.Contains(taken, option) {
			return fmt.Errorf("the extension %s '%s' has an option '%s', which is a key of every %s: give it another name", noun, name, option, noun)
		}
	}
	return nil
}

func checkNames(noun string, own, language []string) error {
	var all []error
	for i, name := range own {
		switch {
		case !pattern.MatchString(name):
			all = append(all, fmt.Errorf("the extension %s '%s' needs a name of lower-case letters, digits and _, beginning with a letter", noun, name))
		case slices.Contains(language, name):
			all = append(all, fmt.Errorf("the extension %s '%s' has the name of a built-in one: give it another", noun, name))
		case slices.Contains(own[:i], name):
			all = append(all, fmt.Errorf("the extension %s '%s' is there twice: give one of them another name", noun, name))
		}
	}
	return errors.Join(all...)
}

// Without are the names that known lacks.
func (n Names) Without(known Names) Names {
	return Names{
		Transforms: without(n.Transforms, known.Transforms),
		Rules:      without(n.Rules, known.Rules),
		Validators: without(n.Validators, known.Validators),
		Formats:    without(n.Formats, known.Formats),
		Sources:    without(n.Sources, known.Sources),
	}
}

func without(names, known []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(known, name) })
}

// With are the names of both.
func (n Names) With(more Names) Names {
	return Names{
		Transforms: slices.Concat(n.Transforms, more.Transforms),
		Rules:      slices.Concat(n.Rules, more.Rules),
		Validators: slices.Concat(n.Validators, more.Validators),
		Formats:    slices.Concat(n.Formats, more.Formats),
		Sources:    slices.Concat(n.Sources, more.Sources),
	}
}

// Rows are the names that who works on rows needs: those of transforms, rules and validators.
func (n Names) Rows() Names {
	return Names{Transforms: n.Transforms, Rules: n.Rules, Validators: n.Validators}
}

// List is every name behind what it names, each once: "transform iban".
func (n Names) List() []string {
	var all []string
	for _, part := range []struct {
		noun  string
		names []string
	}{
		{"transform", n.Transforms}, {"rule", n.Rules}, {"validator", n.Validators}, {"format", n.Formats}, {"source", n.Sources},
	} {
		for _, name := range part.names {
			if text := part.noun + " " + name; !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	}
	return all
}

func find[T any](list []T, is func(T) bool) (found T, ok bool) {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i], true
	}
	return found, false
}
