package main

import (
	"errors"
	"strings"

	"ingest/shared/extend"
)

// iban writes an IBAN without blanks, in capitals: `{iban: {country: DE}}`.
func iban() extend.Transform {
	return extend.Transform{Name: "iban", Options: []string{"country"}, New: func(o *extend.Options) (func(extend.Value) (extend.Value, error), error) {
		country := o.Text("country", "")
		if country != "" && len(country) != 2 {
			return nil, errors.New("needs a country of two letters")
		}
		return func(v extend.Value) (extend.Value, error) {
			if v.Null {
				return v, nil
			}
			v.Text = strings.ToUpper(strings.ReplaceAll(v.Text, " ", ""))
			if !strings.HasPrefix(v.Text, country) || !valid(v.Text) {
				return v, errors.New("The :attribute field must be an IBAN.") //nolint:staticcheck,revive // a sentence for people
			}
			return v, nil
		}, nil
	}}
}

// valid says whether the digits of an IBAN fit its check digits, by the remainder of 97.
func valid(text string) bool {
	if len(text) < 15 || len(text) > 34 {
		return false
	}
	remainder := 0
	for _, c := range []byte(text[4:] + text[:4]) {
		switch {
		case c >= '0' && c <= '9':
			remainder = (remainder*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			remainder = (remainder*100 + int(c-'A') + 10) % 97
		default:
			return false
		}
	}
	return remainder == 1
}
