package expression_test

import (
	"strings"
	"testing"

	"ingest/shared/column"
	"ingest/shared/expression"
)

// rowOf makes a state in which every named column has its text; "\x00" stands for NULL.
func eval(t testing.TB, text string, row map[string]string) (column.Value, string) {
	t.Helper()
	var state expression.State
	scope := expression.Scope{
		Value:   true,
		Started: "2026-01-31T12:00:00Z",
		Params: map[string]column.Value{
			"month": {Text: "2026-01", State: column.Set}, "none": {State: column.Null},
		},
		Column: func(name string) int {
			v := column.Value{State: column.Null}
			if text, ok := row[name]; ok {
				v = column.Value{Text: text, State: column.Set}
			}
			state.Columns = append(state.Columns, v)
			return len(state.Columns) - 1
		},
	}
	e, err := expression.Compile(text, scope, expression.Any)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if text, ok := row["value"]; ok {
		state.Value = column.Value{Text: text, State: column.Set}
	}
	return e.Cell(&state)
}

func TestExpressionsCompute(t *testing.T) {
	t.Parallel()
	row := map[string]string{
		"a": "7", "b": "2.50", "name": " Ärger ", "tags": "red, blue,,green", "json": `{"a":{"b":[1,2.50,"x"]},"n":null}`,
		"type": "order", "user.city": "Bonn", "Unit Price": "19.99", "yes": "yes", "value": "1999", "big": "12345678901234567890.5",
	}
	for text, want := range map[string]string{
		// Numbers.
		`value / 100`: "19.99", `row.a + 1`: "8", `row.a - row.b`: "4.5", `row.a * row.b`: "17.5",
		`row.b * 100`: "250", `7 / 2`: "3.5", `0.1 + 0.2`: "0.3", `1 / 3`: "0.3333333333333333333333333333333333",
		`2 / 3`: "0.6666666666666666666666666666666667", `-2 / 3`: "-0.6666666666666666666666666666666667",
		`1 / 8 * 8`: "1", `10 % 4`: "2", `-7 % 3`: "-1", `5.5 % 2`: "1.5", `2 ** 10`: "1024", `2 ** -2`: "0.25",
		`row.big + 0`: "12345678901234567890.5", `row.big * 2`: "24691357802469135781",
		`9223372036854775807 + 1`: "9223372036854775808", `-row.a`: "-7", `+row.b`: "2.5", `1_000.50`: "1000.5", `0x1F`: "31",
		`19.99 * 3`: "59.97", `4.35 * 100`: "435", `1.10 - 1.1`: "0", `number(" 1e3 ")`: "1000", `int("7.9")`: "7", `int(-7.9)`: "-7",
		`float("0.10")`: "0.1", `abs(-3)`: "3", `round(2.5)`: "3", `round(-2.5)`: "-3", `round(1.005, 2)`: "1.01", `round(1250, -2)`: "1300",
		`floor(-1.5)`: "-2", `floor(1.5)`: "1", `ceil(1.2)`: "2", `ceil(-1.2)`: "-1", `min(3, row.b, [2])`: "2", `max(3, row.a)`: "7",
		// Text.
		`row.a + "|" + row.b`: "7|2.50", `trim(row.name)`: "Ärger", `upper(row.name)`: " ÄRGER ", `lower("ÄB")`: "äb", `len(row.name)`: "7",
		`row.name[1:2]`: "Ä", `row.name[-3:]`: "er ", `value[:2]`: "19", `trimPrefix("abc", "a")`: "bc", `trimSuffix("abc", "c")`: "ab",
		`replace("a-b-c", "-", "+")`: "a+b+c", `replace("a-b-c", "-", "+", 1)`: "a+b-c", `repeat("ab", 3)`: "ababab",
		`indexOf("äb", "b")`: "1", `lastIndexOf("abab", "b")`: "3", `indexOf("a", "x")`: "-1", `hasPrefix("ab", "a")`: "true", `hasSuffix("ab", "a")`: "false",
		`repeat("0", 5 - len(row.a)) + row.a`: "00007", `string(1.50)`: "1.5", `string(nil)`: "", `string(true)`: "true",
		`row["Unit Price"]`: "19.99", `row.user.city`: "Bonn", `row["user.city"]`: "Bonn", `row["user"].city`: "Bonn",
		// Conditions.
		`row.type == "order"`: "true", `row.type != "order"`: "false", `row.b == 2.5`: "true", `2.5 == row.b`: "true", `row.b == "2.5"`: "false",
		`row.type == 1`: "false", `row.gone == nil`: "true", `row.type == nil`: "false", `row.a > 10`: "false", `row.a > "10"`: "true",
		`row.a >= 7 and row.a <= 7`: "true", `row.gone ?? "none"`: "none", `row.a ?? "none"`: "7", `not (1 > 2)`: "true", `!bool(row.yes)`: "false",
		`1 < row.a < 8`: "true", `row.type in ["order", "refund"]`: "true", `row.type not in ["a"]`: "true", `row.a in [7]`: "true",
		`row.name contains "ger"`: "true", `row.gone contains "x"`: "false", `row.type startsWith "or"`: "true", `row.type endsWith "x"`: "false",
		`row.type matches "^o.*r$"`: "true", `row.gone matches "x"`: "false", `row.type == "order" ? "yes" : "no"`: "yes",
		`row.gone == "x" || row.type == "order"`: "true", `if row.a > 5 { "big" } else { "small" }`: "big", `"k" in {"k": 1}`: "true",
		`true == bool("on")`: "true", `nil`: `\N`, `row.gone`: `\N`, `true`: "true",
		// Lists and tables.
		`split(row.tags, ",")`: `["red"," blue","","green"]`, `join(map(filter(split(row.tags, ","), # != ""), trim(#)), "+")`: "red+blue+green",
		`any(split(row.tags, ","), trim(#) == "blue")`: "true", `all([1, 2], # > 1)`: "false", `none([1], # > 1)`: "true", `one([1, 2], # > 1)`: "true",
		`count(["", "a"], # != "")`: "1", `count([true, false])`: "1", `sum(["1.5", 2])`: "3.5", `sum([1, 2], # * 10)`: "30", `find([1, 2, 3], # > 1)`: "2",
		`find([1], # > 1)`: `\N`, `map([5, 6], #index)`: "[0,1]", `first([1, 2])`: "1", `last([1, 2])`: "2", `first([])`: `\N`, `[1, 2, 3][-1]`: "3",
		`get([1], 5)`: `\N`, `get([1], 0)`: "1", `[1, 2, 3][1:]`: "[2,3]", `reverse([1, 2])`: "[2,1]", `uniq([1, "1", 1])`: "[1]", `sort([3, 1, 2])`: "[1,2,3]",
		`sort(["b", "a"])`: `["a","b"]`, `concat([1], [2])`: "[1,2]", `split("a,b,c", ",", 2)`: `["a","b,c"]`, `{"b": 1, a: "<&>"}`: `{"a":"<&>","b":1}`,
		`fromJSON(row.json).a.b[1]`: "2.5", `fromJSON(row.json).n`: `\N`, `fromJSON(row.json)?.x?.y`: `\N`, `keys(fromJSON(row.json))`: `["a","n"]`,
		`toJSON({"a": [1, nil, true]})`: `{"a":[1,null,true]}`, `values({"b": 2, "a": 1})`: "[1,2]", `len([1, 2])`: "2", `len({})`: "0", `type(row.a)`: "text",
		`map([[1, 2], [3]], sum(#))`: "[3,3]", `map([1, 2], let x = # * 2; map([10], # + x))`: "[[12],[14]]", `let x = row.a; let y = x + 1; x + "/" + string(y)`: "7/8",
		`row.tags | split(",") | len()`: "4", `get(nil, "x")`: `\N`,
		// The rest of what can be named.
		`params.month`: "2026-01", `params.none ?? "-"`: "-", `run.started_at[:10]`: "2026-01-31",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			got, problem := eval(t, text, row)
			text := got.Text
			if got.State == column.Null {
				text = `\N`
			}
			if problem != "" || text != want {
				t.Errorf("got %q (%s), want %q", text, problem, want)
			}
		})
	}
}

func TestEvaluationsFailWithAReasonAndWithoutACell(t *testing.T) {
	t.Parallel()
	row := map[string]string{"a": "secret", "b": "0", "value": "secret", "json": "{secret"}
	for text, want := range map[string]string{
		`value / 100`: "value is not a number", `row.gone * 2`: "row.gone is NULL", `row.gone + "x"`: "row.gone is NULL",
		`1 / row.b`: "it divides by zero", `1 % row.b`: "it divides by zero", `row.b ** -1`: "it divides by zero",
		`2 ** row.a`: "row.a is not a number", `2 ** 101`: "an exponent must be a whole number from -100 to 100",
		`10 ** 100 * 10 ** 100 * 10 ** 100`: "a number has too many digits", `row.a < 5`: "row.a is not a number",
		`trim(row.gone)`: "row.gone is NULL", `upper(fromJSON("1"))`: "the value given to upper is not text", `[1][5]`: "the value has no item of that index",
		`fromJSON(row.json)`: "it is not JSON", `fromJSON("{} {}")`: "it is not JSON", `bool(row.a)`: "the text given to bool is not true or false",
		`fromJSON("{}").x.y`: "the value[…] is NULL", `repeat(row.a, -1)`: "a text cannot be repeated a negative number of times",
		`filter(split(row.a, ""), fromJSON("1"))`: "the answer to the question is not true or false", `max([])`: "max has nothing to choose from",
		`sort([1, "a"])`: "sort takes numbers only or texts only", `fromJSON("1") ? 1 : 2`: "a condition is not true or false",
		`row.gone > 1`: "row.gone is NULL", `int(row.a)`: "row.a is not a number", `split("a", ",", 1.5)`: "the number of parts is not a whole number",
		`1 in fromJSON("1")`: "the right side of in is not a list",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			got, problem := eval(t, text, row)
			if problem != want {
				t.Errorf("got %q (%v), want %q", problem, got, want)
			}
			if strings.Contains(problem, "secret") {
				t.Error("the problem shows a cell")
			}
		})
	}
}

func TestWrongExpressionsAreRefusedWithTheirPlace(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		at      string
		message string
	}{
		`row.a +`:                       {"", "the expression ends too early"},
		`  `:                            {"  ", "the expression is empty"},
		`ä + valu`:                      {"ä", "there is no ä; a column is row.ä"},
		`"ä" + valu`:                    {"valu", "there is no valu; a column is row.valu"},
		`"ä" * 2`:                       {`"ä"`, `* computes with numbers, and "ä" is none`},
		`row`:                           {"row", `row is used with a column, like row.price or row["Unit Price"]`},
		`params`:                        {"params", "params is used with a name, like params.month"},
		`params.mnth`:                   {"mnth", "there is no parameter mnth under `params:`"},
		`run.id`:                        {"id", "run has no id"},
		`now()`:                         {"now()", "there is no function now: an expression knows no clock; run.started_at is when the run began"},
		`nwo()`:                         {"nwo()", "there is no function nwo"},
		`trim()`:                        {"trim()", "trim takes 1 to 2 arguments, not 0"},
		`lower("a", "b")`:               {"lower", "lower takes 1 argument, not 2"},
		`1 / 0`:                         {"0", "nothing can be divided by zero"},
		`row.a == true`:                 {"== true", "NULL or text and true or false are never equal; bool(row.active) reads a text as true or false"},
		`[1] == 2`:                      {"== 2", "a list and a number are never equal"},
		`row.a and true`:                {"a and", "and must be true or false, not NULL or text"},
		`upper(5)`:                      {"5", "upper must be text, not a number"},
		`row.a.b[x]`:                    {"x]", "there is no x; a column is row.x"},
		`row.a matches row.b`:           {"b", "the pattern of matches must be written out, in quotes"},
		`row.a matches "("`:             {`"("`, "the pattern cannot be read: missing closing ): `(`"},
		`row.a matches "(?=x)"`:         {`"(?=x)"`, "the pattern cannot be read: invalid or unsupported Perl syntax: `(?=`"},
		`row.a.trim()`:                  {"trim()", "values have no methods"},
		`1; 2`:                          {"1; 2", "an expression has one value, not several with ; between them"},
		`let row = 1; 2`:                {"row", "row has a meaning already"},
		`filter([1])`:                   {"", "expected at least 2 arguments"},
		`# + 1`:                         {"", `"#" does not belong here`},
		`row.a = 1`:                     {"= 1", "= does not compare"},
		`row.a )`:                       {")", `")" does not belong here`},
		`"open`:                         {"", "literal not terminated"},
		`b"x"`:                          {`b"x"`, "there are no byte texts"},
		`$env`:                          {"$env", "there is no $env; a column is row.$env"},
		strings.Repeat("1+", 600) + "1": {"", "an expression has at most 1000 operators, names and literals"},
		strings.Repeat(" ", 5000):       {"", "an expression has at most 4096 bytes, this one has 5000"},
		chained(30):                     {"", "the expression is too large"},
	} {
		t.Run(text[:min(len(text), 40)], func(t *testing.T) {
			t.Parallel()
			scope := expression.Scope{Value: true, Params: map[string]column.Value{"month": {}}}
			_, err := expression.Compile(text, scope, expression.Any)
			problem, ok := err.(*expression.Error)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if want.message != "" && problem.Message != want.message {
				t.Errorf("got %q, want %q", problem.Message, want.message)
			}
			if want.at != "" && !strings.HasPrefix(text[problem.Offset:], want.at) {
				t.Errorf("at %q, want %q", text[problem.Offset:], want.at)
			}
		})
	}
}

// chained nests comparisons whose middle the parser shares: the tree doubles with every level.
func chained(levels int) string {
	return strings.Repeat("1 < (", levels) + "1" + strings.Repeat(" < 2 ? 1 : 2) < 3", levels)
}

func TestConditionsMustBeTrueOrFalse(t *testing.T) {
	t.Parallel()
	if _, err := expression.Compile(`row.type`, expression.Scope{}, expression.Bool); err == nil ||
		err.Error() != "this must be true or false, not NULL or text" {
		t.Errorf("got %v", err)
	}
	e, err := expression.Compile(`fromJSON("1")`, expression.Scope{}, expression.Bool)
	if err != nil {
		t.Fatal(err)
	}
	if _, problem := e.Truth(&expression.State{}); problem != "it is a number, not true or false" {
		t.Errorf("got %q", problem)
	}
}

func TestValueIsForTransformsOnly(t *testing.T) {
	t.Parallel()
	if _, err := expression.Compile(`value`, expression.Scope{}, expression.Any); err == nil {
		t.Error("value was accepted where there is none")
	}
}

func TestColumnsAreTold(t *testing.T) {
	t.Parallel()
	e, err := expression.Compile(`row.b + row["a b"] + row.user.city + row.b`, expression.Scope{}, expression.Any)
	if err != nil || strings.Join(e.Columns(), ",") != "b,a b,user.city" {
		t.Errorf("got %v, %v", e, err)
	}
}

func TestPrefixed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`row.sku + row["a b"]`:                  `row["p"].sku + row["p"]["a b"]`,
		`"row.x" + row.x`:                       `"row.x" + row["p"].x`,
		`fromJSON(row?.a).row.b ?? "ä" + row.ä`: `fromJSON(row["p"]?.a).row.b ?? "ä" + row["p"].ä`,
		`any(split(row.a, ","), # == row.b)`:    `any(split(row["p"].a, ","), # == row["p"].b)`,
		`value / 100`:                           `value / 100`,
		`1 < row.a < 3`:                         `1 < row["p"].a < 3`,
		`"open`:                                 `"open`,
		`row`:                                   `row`,
		chained(60):                             chained(60),
	} {
		if got := expression.Prefixed(text, "p"); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	e, err := expression.Compile(expression.Prefixed(`row.sku + row["a b"] + row.user.city`, "line item"), expression.Scope{}, expression.Any)
	if err != nil || strings.Join(e.Columns(), "|") != "line item.sku|line item.a b|line item.user.city" {
		t.Errorf("got %v, %v", e, err)
	}
}
