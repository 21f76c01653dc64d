package main

import (
	"errors"
	"strings"

	"ingest/shared/extend"
)

// prefix takes texts with one of several beginnings: `{prefix: [A-, B-]}`.
func prefix() extend.Validator {
	return extend.Validator{Name: "prefix", Options: []string{"list"}, New: func(o *extend.Options) (func(text string) error, error) {
		list := o.Texts("list")
		if len(list) == 0 {
			o.Refuse("list", "needs a list of texts as 'list'")
		}
		wrong := errors.New("Value must begin with one of: " + strings.Join(list, ", "))
		return func(text string) error {
			for _, one := range list {
				if strings.HasPrefix(text, one) {
					return nil
				}
			}
			return wrong
		}, nil
	}}
}
