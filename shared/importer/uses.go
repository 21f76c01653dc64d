package importer

import (
	"slices"

	"ingest/shared/extend"
)

// Formats are the types of formats that every program has.
func Formats() []string { return []string{CSV} }

// Sources are the types of sources that every program has.
func Sources() []string { return []string{Filesystem, Upload} }

// Uses are the names of the language that the definition needs its program to know, each once.
func (d Definition) Uses() extend.Names {
	n := extend.Names{Formats: []string{d.Format.Type}, Sources: []string{d.Source.Type}}
	fields, relations := slices.Clone(d.Fields), slices.Clone(d.Relations)
	for _, nested := range d.Nested {
		fields, relations = append(fields, nested.Fields...), append(relations, nested.Relations...)
	}
	for _, f := range fields {
		n.Transforms = append(n.Transforms, transformsOf(f.Transform)...)
		for _, v := range f.Validate {
			n.Validators = append(n.Validators, v.Name)
		}
	}
	for _, r := range relations {
		n.Transforms = append(n.Transforms, transformsOf(r.Transform)...)
	}
	for _, list := range d.Rules {
		for _, r := range list.Rules {
			n.Rules = append(n.Rules, r.Name)
		}
	}
	for _, names := range []*[]string{&n.Transforms, &n.Rules, &n.Validators} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
	return n
}

func transformsOf(list []Transform) []string {
	var names []string
	for _, t := range list {
		names = append(names, t.Name)
	}
	return names
}
