package pipeline_test

import (
	"testing"

	"ingest/shared/column"
	"ingest/shared/importer"
)

type options = map[string]any

// TestTransforms: every transform of the language with all its options.
func TestTransforms(t *testing.T) {
	t.Parallel()
	const (
		wrong   = "The a field format is invalid."
		number  = "The a field must be a number."
		boolean = "The a field must be true or false."
		date    = "The a field must be a valid date."
	)
	one := func(name string, o options) []importer.Transform { return []importer.Transform{configured(name, o)} }
	numeric := func(o options) []importer.Transform { return one("numeric", o) }
	for name, test := range map[string]struct {
		list    []importer.Transform
		cell    string
		want    column.Value
		message string
	}{
		"trim":                         {one("trim", nil), "\t a b \r\n", set("a b"), ""},
		"trim chars":                   {one("trim", options{"chars": "-ö"}), "ö-a-ö", set("a"), ""},
		"trim in short":                {one("trim", options{"value": "-"}), "-a-", set("a"), ""},
		"trim leaves NULL":             {one("trim", nil), "", null(), ""},
		"a trimmed text is a text":     {one("trim", nil), "  ", set(""), ""},
		"lower":                        {one("lower", nil), "ÄB", set("äb"), ""},
		"upper":                        {one("upper", nil), "äb", set("ÄB"), ""},
		"slug":                         {one("slug", nil), "  Größe & Maß: 1.5 µm! ", set("grosse-mass-1-5-um"), ""},
		"slug separator":               {one("slug", options{"separator": "_"}), "Rock'n'Roll -- AC/DC", set("rock_n_roll_ac_dc"), ""},
		"slug without separator":       {one("slug", options{"separator": ""}), "a b", set("ab"), ""},
		"slug of other scripts":        {one("slug", nil), "Москва 北京", set("moskva-bei-jing"), ""},
		"slug keeps strange letters":   {one("slug", nil), "a 𐌰 b", set("a-𐌰-b"), ""},
		"slug of combining marks":      {one("slug", nil), "Cafe\u0301 du monde", set("cafe-du-monde"), ""},
		"slug of symbols":              {one("slug", nil), "!?", set(""), ""},
		"default of NULL":              {one("default", options{"value": "x"}), "", set("x"), ""},
		"default keeps":                {one("default", options{"value": "x"}), "y", set("y"), ""},
		"default empties":              {one("default", options{"value": "x", "empties": []any{"-", "n/a"}}), "n/a", set("x"), ""},
		"default of a number":          {one("default", options{"value": 1.5}), "", set("1.5"), ""},
		"default of a boolean":         {one("default", options{"value": true}), "", set("true"), ""},
		"default after trim":           {[]importer.Transform{named("trim"), short("default", "x")}, " ", set("x"), ""},
		"in order":                     {[]importer.Transform{short("default", "x"), named("upper")}, "", set("X"), ""},
		"map":                          {one("map", options{"table": options{"A": "active", "I": "inactive"}}), "I", set("inactive"), ""},
		"map is exact":                 {one("map", options{"table": options{"A": "active"}}), "a", column.Value{}, "The selected a is invalid."},
		"map default":                  {one("map", options{"table": options{"A": "active"}, "default": "other"}), "x", set("other"), ""},
		"map to NULL":                  {one("map", options{"table": options{"-": nil}}), "-", null(), ""},
		"map default NULL":             {one("map", options{"table": options{"A": "active"}, "default": nil}), "x", null(), ""},
		"map of NULL":                  {one("map", options{"table": options{"A": "active"}}), "", null(), ""},
		"map default of NULL":          {one("map", options{"table": options{"A": "active"}, "default": "x"}), "", set("x"), ""},
		"boolean truthy":               {one("boolean", nil), " Yes", set("1"), ""},
		"boolean falsy":                {one("boolean", nil), "OFF", set("0"), ""},
		"boolean own words":            {one("boolean", options{"truthy": []any{"ja"}, "falsy": []any{"nein"}}), "JA", set("1"), ""},
		"boolean in short":             {one("boolean", options{"value": "ja"}), "ja", set("1"), ""},
		"boolean case_sensitive":       {one("boolean", options{"truthy": []any{"Y"}, "falsy": []any{"n"}, "case_sensitive": "true"}), "y", column.Value{}, boolean},
		"boolean of another word":      {one("boolean", nil), "maybe", column.Value{}, boolean},
		"boolean default":              {one("boolean", options{"default": "0"}), "maybe", set("0"), ""},
		"boolean default of NULL":      {one("boolean", options{"default": "0"}), "", set("0"), ""},
		"boolean of NULL":              {one("boolean", nil), "", null(), ""},
		"numeric":                      {numeric(nil), " 1,234,567.50 ", set("1234567.5"), ""},
		"numeric of another text":      {numeric(nil), "12 pcs", column.Value{}, number},
		"numeric of an empty text":     {[]importer.Transform{named("trim"), named("numeric")}, "  ", column.Value{}, number},
		"numeric of NULL":              {numeric(nil), "", null(), ""},
		"numeric decimals":             {numeric(options{"decimals": "2"}), "1.005", set("1.01"), ""},
		"numeric decimals below zero":  {numeric(options{"decimals": "2"}), "-2.675", set("-2.68"), ""},
		"numeric no decimals":          {numeric(options{"value": "0"}), "0.5", set("1"), ""},
		"numeric beyond a float":       {numeric(options{"decimals": "1"}), "12345678901234567890.25", set("12345678901234567890.3"), ""},
		"numeric exponent":             {numeric(nil), "1.5e3", set("1500"), ""},
		"numeric huge exponent":        {numeric(nil), "1e999999999", column.Value{}, number},
		"numeric min":                  {numeric(options{"min": "0"}), "-5", set("0"), ""},
		"numeric max":                  {numeric(options{"max": "99.99"}), "100", set("99.99"), ""},
		"numeric within":               {numeric(options{"min": "-1", "max": "1"}), "0.5", set("0.5"), ""},
		"numeric default":              {numeric(options{"default": "0"}), "n/a", set("0"), ""},
		"numeric default NULL":         {numeric(options{"default": nil}), "n/a", null(), ""},
		"numeric decimal_separator":    {numeric(options{"decimal_separator": ","}), "-1.234,56", set("-1234.56"), ""},
		"numeric only decimal comma":   {numeric(options{"decimal_separator": ","}), "0,5", set("0.5"), ""},
		"numeric point is no decimal":  {numeric(options{"decimal_separator": ","}), "1.5", column.Value{}, number},
		"numeric thousands_separator":  {numeric(options{"thousands_separator": "'"}), "1'000.5", set("1000.5"), ""},
		"numeric blanks":               {numeric(options{"decimal_separator": ",", "thousands_separator": " "}), "1\u202f234\u00a0567,5", set("1234567.5"), ""},
		"numeric groups of two":        {numeric(nil), "12,34", column.Value{}, number},
		"numeric first group of four":  {numeric(nil), "1234,567", column.Value{}, number},
		"numeric empty group":          {numeric(nil), ",123", column.Value{}, number},
		"numeric group in fraction":    {numeric(nil), "1.123,456", column.Value{}, number},
		"numeric no thousands":         {numeric(options{"thousands_separator": ""}), "1,234", column.Value{}, number},
		"date":                         {one("date", nil), "20240131", set("2024-01-31"), ""},
		"date as it is":                {one("date", nil), "2024-01-31", set("2024-01-31"), ""},
		"date with a zone":             {one("date", nil), "2024-01-31T01:00:00+02:00", set("2024-01-30 23:00:00Z"), ""},
		"date in of PHP":               {one("date", options{"in": "d.m.Y"}), "31.1.2024", set("2024-01-31"), ""},
		"date in of strftime":          {one("date", options{"in": "%d/%m/%y"}), "31/01/24", set("2024-01-31"), ""},
		"date in of several":           {one("date", options{"in": []any{"d.m.Y", "m/d/Y"}}), "01/31/2024", set("2024-01-31"), ""},
		"date in with time":            {one("date", options{"in": "d.m.Y H:i"}), "31.01.2024 07:05", set("2024-01-31 07:05:00"), ""},
		"date in with half days":       {one("date", options{"in": "M j, Y g:i A"}), "Jan 5, 2024 12:30 am", set("2024-01-05 00:30:00"), ""},
		"date in of a timestamp":       {one("date", options{"in": "U"}), "1700000000", set("2023-11-14 22:13:20Z"), ""},
		"date out":                     {one("date", options{"in": "Y-m-d", "out": "D, jS F y"}), "2024-01-31", set("Wed, 31st January 24"), ""},
		"date out of strftime":         {one("date", options{"out": "%-d. %B %Y (%j)"}), "2024-02-03", set("3. February 2024 (034)"), ""},
		"date in UTC":                  {one("date", options{"in": "c", "out": "H:i"}), "2024-01-31T01:30:00+02:00", set("23:30"), ""},
		"date does not roll over":      {one("date", nil), "2024-13-45", column.Value{}, date},
		"date of February":             {one("date", options{"in": "d.m.Y"}), "30.02.2024", column.Value{}, "The a field must match the format d.m.Y."},
		"date of no format of several": {one("date", options{"in": []any{"d.m.Y", "m/d/Y"}}), "2024", column.Value{}, date},
		"date default":                 {one("date", options{"default": "1970-01-01"}), "soon", set("1970-01-01"), ""},
		"date default NULL":            {one("date", options{"default": nil}), "0000-00-00", null(), ""},
		"split":                        {one("split", options{"separator": ","}), "a, b,c", set(`["a"," b","c"]`), ""},
		"split in short":               {one("split", options{"value": " "}), "a <b>", set(`["a","<b>"]`), ""},
		"split index":                  {one("split", options{"separator": " ", "index": "1"}), "a b c", set("b"), ""},
		"split index from the end":     {one("split", options{"separator": " ", "index": "-1"}), "a b c", set("c"), ""},
		"split index beyond":           {one("split", options{"separator": " ", "index": "3"}), "a b c", column.Value{}, wrong},
		"split index before":           {one("split", options{"separator": " ", "index": "-4"}), "a b c", column.Value{}, wrong},
		"split default":                {one("split", options{"separator": " ", "index": "3", "default": "-"}), "a", set("-"), ""},
		"split limit":                  {one("split", options{"separator": " ", "index": "1", "limit": "2"}), "Vincent van Gogh", set("van Gogh"), ""},
		"replace":                      {one("replace", options{"search": "a", "replace": "b"}), "banana", set("bbnbnb"), ""},
		"replace removes":              {one("replace", options{"search": []any{"€", " "}}), "5 €", set("5"), ""},
		"replace regex":                {one("replace", options{"regex": `/(\d+)-(\d+)/`, "replace": `$2/\1`}), "1-2 3-4", set("2/1 4/3"), ""},
		"replace regex named":          {one("replace", options{"regex": `/(?P<y>\d{4})/i`, "replace": "${y}x$"}), "in 2024", set("in 2024x$"), ""},
		"replace without a match":      {one("replace", options{"regex": `/x/`, "replace": "y"}), "abc", set("abc"), ""},
		"replace of NULL":              {one("replace", options{"search": "a"}), "", null(), ""},
		"regex":                        {one("regex", options{"value": `/\d+/`}), "ab 12 cd 34", set("12"), ""},
		"regex takes the first group":  {one("regex", options{"pattern": `/#(\d+)/`}), "no #12", set("12"), ""},
		"regex group":                  {one("regex", options{"pattern": `/(\w)-(\w)/`, "group": "2"}), "a-b", set("b"), ""},
		"regex replacement":            {one("regex", options{"pattern": `/(\d+)\.(\d+)\./`, "replacement": "$2-$1"}), "on 31.12. now", set("12-31"), ""},
		"regex without a match":        {one("regex", options{"pattern": `/\d/`}), "abc", column.Value{}, wrong},
		"regex group without a match":  {one("regex", options{"pattern": `/a(b)?/`}), "ac", column.Value{}, wrong},
		"regex default":                {one("regex", options{"pattern": `/\d/`, "default": "0"}), "abc", set("0"), ""},
		"hash":                         {one("hash", nil), "abc", set("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), ""},
		"hash md5":                     {one("hash", options{"algorithm": "md5"}), "abc", set("900150983cd24fb0d6963f7d28e17f72"), ""},
		"hash sha1":                    {one("hash", options{"value": "sha1"}), "abc", set("a9993e364706816aba3e25717850c26c9cd0d89d"), ""},
		"hash sha512":                  {one("hash", options{"algorithm": "sha512"}), "abc", set("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"), ""},
		"hash xxh64":                   {one("hash", options{"algorithm": "xxh64"}), "abc", set("44bc2cf5ad770999"), ""},
		"hash of NULL":                 {one("hash", nil), "", null(), ""},
		"pipeline": {
			[]importer.Transform{named("trim"), short("split", "|"), short("regex", `/"(\w+)"\]/`), named("upper")}, " a|b ", set("B"), "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, message := transformed(t, test.list, test.cell); got != test.want || message != test.message {
				t.Errorf("got %+v, %q, want %+v, %q", got, message, test.want, test.message)
			}
		})
	}
}

// TestTransformConcat: the cells as they are in the source, by any of their names, without the empty ones.
func TestTransformConcat(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options options
		cells   []string
		want    column.Value
		message string
	}{
		"own and others":  {options{"fields": []any{"A", "C"}}, []string{"a", "b", "c"}, set("a c"), ""},
		"separator":       {options{"fields": []any{"C", "B"}, "separator": "|"}, []string{"a", "b", "c"}, set("c|b"), ""},
		"empty ones":      {options{"fields": []any{"A", "B", "C"}}, []string{"a", "", "c"}, set("a c"), ""},
		"nothing":         {options{"fields": []any{"B", "C"}}, []string{"a", "", ""}, null(), ""},
		"not there":       {options{"fields": []any{"B", "Z"}}, []string{"a", "b", ""}, set("b"), ""},
		"another's bytes": {options{"fields": []any{"B", "C"}}, []string{"a", "b", "\xff"}, column.Value{}, "The a field is not valid UTF-8."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, message := transformed(t, []importer.Transform{configured("concat", test.options)}, test.cells...)
			if got != test.want || message != test.message {
				t.Errorf("got %+v, %q, want %+v, %q", got, message, test.want, test.message)
			}
		})
	}
}

func TestRouteGoesByTheTransformedKey(t *testing.T) {
	t.Parallel()
	d := importer.Definition{Key: []string{"A"}, Fields: []importer.Field{
		with(field("sku", "A"), configured("concat", options{"fields": []any{"A", "B"}, "separator": "-"}), named("lower")),
	}}
	p := compile(t, d, []string{"A", "B"}, productTable())
	one, okOne := route(p, "X", "1")
	two, okTwo := route(p, "x", "1")
	if other, ok := route(p, "x", "2"); !okOne || !okTwo || !ok || one != two || one == other {
		t.Errorf("got %q, %q, %q", one, two, other)
	}
	d.Fields[0] = with(field("sku", "A"), named("numeric"))
	if form, ok := route(compile(t, d, []string{"A", "B"}, productTable()), "x", "1"); ok {
		t.Errorf("a key that a transform cannot read was routed as %q", form)
	}
}
