package database

import (
	"testing"

	"pgregory.net/rapid"
)

func TestRebindLeavesQuotesAndCommentsAlone(t *testing.T) {
	t.Parallel()
	pg := &DB{dialect: Postgres}
	for query, want := range map[string]string{
		"SELECT 1":                "SELECT 1",
		"a = ? AND b = ?":         "a = $1 AND b = $2",
		"'?' || ? || '''?' || ?":  "'?' || $1 || '''?' || $2",
		`"?" = ?`:                 `"?" = $1`,
		"-- why?\n?":              "-- why?\n$1",
		"/* ? */ ? /* ?":          "/* ? */ $1 /* ?",
		"(?,?,?,?,?,?,?,?,?,?,?)": "($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)",
		"'open ?":                 "'open ?",
		"a-? b/? ":                "a-$1 b/$2 ",
	} {
		if got := pg.rebind(query); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", query, got, want)
		}
		if got := (&DB{dialect: SQLite}).rebind(query); got != query {
			t.Errorf("SQLite: %s became %s", query, got)
		}
	}
}

func TestRebindLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		query := rapid.StringOf(rapid.SampledFrom([]rune(`ab'"-/*? `+"\n"))).Draw(t, "query")
		var plain []byte
		bound := (&DB{dialect: Postgres}).rebind(query)
		for i := 0; i < len(bound); i++ {
			if bound[i] != '$' {
				plain = append(plain, bound[i])
				continue
			}
			plain = append(plain, '?')
			for i+1 < len(bound) && bound[i+1] >= '0' && bound[i+1] <= '9' {
				i++
			}
		}
		if string(plain) != query {
			t.Fatalf("%q became %q", query, bound)
		}
	})
}
