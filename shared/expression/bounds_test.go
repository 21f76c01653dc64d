package expression_test

import (
	"strings"
	"testing"
	"time"

	"ingest/shared/column"
	"ingest/shared/expression"
)

// Each would take minutes or gigabytes if nothing stopped it.
func TestBombsEnd(t *testing.T) {
	t.Parallel()
	row := map[string]string{"long": strings.Repeat("x,", 300_000), "json": strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000)}
	doubled := `let a = [1, 1]; `
	for name := 'b'; name <= 'z'; name++ {
		doubled += "let " + string(name) + " = [" + string(name-1) + ", " + string(name-1) + "]; "
	}
	for name, text := range map[string]string{
		"nested loops":                `let l = split(row.long, ","); all(l, all(l, all(l, # != "y")))`,
		"a long body":                 `let l = split(row.long, ","); sum(l, ` + strings.Repeat("1/3+", 200) + `1)`,
		"large powers":                `let l = split(row.long, ","); sum(l, (1/3) ** 5 * 0)`,
		"repeat":                      `repeat("ab", 1000000000)`,
		"replace":                     `replace(row.long, ",", row.long)`,
		"shared lists":                doubled + "toJSON(z)",
		"a shared list as the result": doubled + "z",
		"text of shared lists":        doubled + `join([z, z], "")`,
		"equal shared lists":          doubled + "z == z",
		"uniq":                        `len(uniq(split(row.long + row.long, "")))`,
		"matches":                     `any(split(row.long, ","), repeat("x", 60000) matches "(x*)*y")`,
		"sort":                        `sort(map(split(row.long, ","), repeat("x", 3000) + #))`,
		"join":                        `let l = split(row.long, ","); join(map(l, repeat("x", 1000)), "")`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			got, problem := eval(t, text, row)
			if problem == "" {
				t.Errorf("it gave %d bytes", len(got.Text))
			}
			if took := time.Since(begin); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
	if _, problem := eval(t, `len(fromJSON(row.json))`, row); problem != "" {
		t.Errorf("JSON of 9000 levels: %s", problem)
	}
}

func TestAStateIsUsedAgain(t *testing.T) {
	t.Parallel()
	state := expression.State{Columns: make([]column.Value, 1)}
	scope := expression.Scope{Column: func(string) int { return 0 }}
	e, err := expression.Compile(`let x = row.a * 2; x + 1`, scope, expression.Any)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ cell, want string }{{"x", ""}, {"2", "5"}, {"", ""}, {"-1", "-1"}} {
		state.Columns[0] = column.Value{Text: step.cell, State: column.Set}
		if got, problem := e.Cell(&state); got.Text != step.want || (problem != "") != (step.want == "") {
			t.Errorf("%q: got %q (%s)", step.cell, got.Text, problem)
		}
	}
}

func FuzzExpression(f *testing.F) {
	for _, seed := range []string{
		`value / 100`, `row.a + "|" + row.b`, `row.type == "total"`, `let x = 1; any([1], # > x)`, `fromJSON(row.a)?.b[0]`,
		`if 1 < 2 < 3 { value[1:-1] } else { nil }`, `round(row.a ** 2, 3) % 7 ?? 1e5`, `row.a matches "^a+$" ? 1 : 2`,
	} {
		f.Add(seed, "12.50", `{"b":["x"]}`)
	}
	f.Fuzz(func(t *testing.T, text, a, b string) {
		state := expression.State{Value: column.Value{Text: a, State: column.Set}}
		cells := [2]column.Value{{Text: a, State: column.Set}, {Text: b, State: column.Set}}
		scope := expression.Scope{Value: true, Column: func(string) int {
			state.Columns = append(state.Columns, cells[len(state.Columns)%2])
			return len(state.Columns) - 1
		}}
		e, err := expression.Compile(text, scope, expression.Any)
		if err != nil {
			if p, ok := err.(*expression.Error); !ok || p.Message == "" || p.Offset < 0 || p.Offset > len(text) {
				t.Fatalf("%#v", err)
			}
			return
		}
		one, problem := e.Cell(&state)
		two, again := e.Cell(&state)
		if one != two || problem != again {
			t.Fatalf("%v (%s), then %v (%s)", one, problem, two, again)
		}
		if len(one.Text) > expression.MaxResult {
			t.Fatal("the result is too long")
		}
	})
}

func BenchmarkExpression(b *testing.B) {
	for name, text := range map[string]string{
		"cents": `value / 100`, "composite key": `row.a + "|" + row.b`, "condition": `row.a == "order"`,
		"numbers": `row.n * 2 + 1.5`, "functions": `upper(trim(row.a)) + "-" + row.b`,
	} {
		b.Run(name, func(b *testing.B) {
			state := expression.State{Value: column.Value{Text: "1999", State: column.Set}}
			cells := map[string]string{"a": "order", "b": "SKU-0001", "n": "12.50"}
			e, err := expression.Compile(text, expression.Scope{Value: true, Column: func(name string) int {
				state.Columns = append(state.Columns, column.Value{Text: cells[name], State: column.Set})
				return len(state.Columns) - 1
			}}, expression.Any)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, problem := e.Cell(&state); problem != "" {
					b.Fatal(problem)
				}
			}
		})
	}
}
