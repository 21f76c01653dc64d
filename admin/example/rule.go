package main

import (
	"errors"
	"strconv"
	"strings"

	"ingest/shared/extend"
)

// multipleOf takes whole numbers that are multiples of another: `multiple_of:5`.
func multipleOf() extend.Rule {
	return extend.Rule{
		Name: "multiple_of", Least: 1, Most: 1, Message: "The :attribute field must be a multiple of :values.",
		New: func(args []string) (func(text string) bool, error) {
			of, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || of < 1 {
				return nil, errors.New("needs a whole number above 0")
			}
			return func(text string) bool {
				n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
				return err == nil && n%of == 0
			}, nil
		},
	}
}
