package pipeline

import (
	"strings"

	"ingest/shared/column"
	"ingest/shared/extend"
)

// ownTransform is a transform that the program was extended by.
func ownTransform(t extend.Transform, given map[string]any) (transform, error) {
	change, err := t.Build(given)
	if err != nil {
		return nil, err
	}
	return func(v column.Value, _ record) (column.Value, *complaint) {
		out, err := change(extend.Value{Text: v.Text, Null: v.State == column.Null})
		switch {
		case err != nil:
			return v, &complaint{line: extend.Message(err)}
		case out.Null:
			return column.Value{State: column.Null}, nil
		case len(out.Text) > maxMade:
			return v, complain("regex")
		}
		// What the language's own transforms are promised.
		return column.Value{Text: out.Text, State: column.Set}, unreadable(out.Text)
	}, nil
}

// maxMade bounds what an extension may make of a value, as a row is bounded.
const maxMade = 8 << 20

func unreadable(text string) *complaint {
	if problem := column.Readable(text); problem != "" {
		return &complaint{problem: problem}
	}
	return nil
}

// ownRule is a rule that the program was extended by, as the table has the language's own.
func ownRule(r extend.Rule) ruleEntry {
	return ruleEntry{family: plain, least: r.Least, most: r.Most, build: func(c ruleContext) (ruleTest, error) {
		passes, err := r.Build(c.args)
		return ruleTest{passes: passes, says: []saying{say(r.Message, "values", strings.Join(c.args, ", "))}}, err
	}}
}

// ownValidator is a validator that the program was extended by.
func ownValidator(v extend.Validator, given map[string]any) (validator, error) {
	judge, err := v.Build(given)
	if err != nil {
		return nil, err
	}
	return func(v column.Value) string {
		if v.State != column.Set || v.Text == "" {
			return ""
		}
		if err := judge(v.Text); err != nil {
			return extend.Message(err)
		}
		return ""
	}, nil
}
