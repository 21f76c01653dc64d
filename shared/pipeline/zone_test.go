package pipeline_test

import (
	"bytes"
	"strings"
	"testing"
	_ "time/tzdata" // the machine need not have it

	"pgregory.net/rapid"

	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/row"
)

// berlin is an importer of the columns at and other there.
func berlin(at importer.Field, rules ...importer.Rule) importer.Definition {
	d := importer.Definition{Timezone: "Europe/Berlin", Fields: []importer.Field{at}}
	if len(rules) > 0 {
		d.Rules = []importer.Rules{{Column: "at", Rules: rules}}
	}
	return d
}

func happenings() column.Table {
	return column.Table{Name: "t", Columns: []column.Column{
		{Name: "instant", Type: column.Type{Kind: column.Datetime, Zone: true}},
		{Name: "wall", Type: column.Type{Kind: column.Datetime}},
		{Name: "day", Type: column.Type{Kind: column.Date}},
		{Name: "clock", Type: column.Type{Kind: column.Time}},
		{Name: "text", Type: column.Type{Kind: column.Text}},
	}}
}

func TestTimesAreInTheTimezoneOfTheImporter(t *testing.T) {
	t.Parallel()
	rule := func(name string, args ...string) importer.Rule { return importer.Rule{Name: name, Args: args} }
	written := configured("date", map[string]any{"in": []any{"d.m.Y H:i", "d.m.Y H:i P", "d.m.Y"}, "out": "Y-m-d H:i T"})
	validated := func(format string) importer.Field {
		f := field("text", "at")
		f.Validate = []importer.Validator{{Name: "date", Options: map[string]any{"format": format}}}
		return f
	}
	const noDate = "failed: The at field must be a valid date."
	for _, c := range []struct {
		d    importer.Definition
		at   string
		want string
	}{
		{berlin(field("instant", "at")), "2026-01-31 12:00", "instant=2026-01-31 11:00:00Z"},
		{berlin(field("wall", "at")), "2026-07-31 12:00", "wall=2026-07-31 10:00:00"},
		{berlin(field("wall", "at")), "2026-07-31 12:00Z", "wall=2026-07-31 12:00:00"},
		{berlin(field("wall", "at")), "2026-03-29 02:30", noDate},
		{berlin(field("instant", "at")), "2026-10-25 02:30", "instant=2026-10-25 00:30:00Z"},
		{berlin(field("day", "at")), "2026-07-31", "day=2026-07-31"},
		{berlin(field("clock", "at")), "12:00", "clock=12:00:00"},

		{berlin(field("text", "at"), rule("date")), "2026-03-29 02:30", noDate},
		{berlin(field("text", "at"), rule("date")), "2026-03-29 02:30Z", "text=2026-03-29 02:30Z"},
		{berlin(field("text", "at"), rule("date_format", "d.m.Y H:i")), "29.03.2026 02:30", "failed: The at field must match the format d.m.Y H:i."},
		{berlin(field("text", "at"), rule("date_format", "d.m.Y H:i")), "29.03.2026 03:30", "text=29.03.2026 03:30"},
		{berlin(field("text", "at"), rule("after", "2026-07-31 12:00")), "2026-07-31 10:00Z", "failed: The at field must be a date after 2026-07-31 12:00."},
		{berlin(field("text", "at"), rule("after", "2026-07-31 12:00")), "2026-07-31 10:01Z", "text=2026-07-31 10:01Z"},
		{berlin(field("text", "at"), rule("before", "2026-08-01")), "2026-07-31 21:59Z", "text=2026-07-31 21:59Z"},
		{berlin(field("text", "at"), rule("before", "2026-08-01")), "2026-07-31 22:00Z", "failed: The at field must be a date before 2026-08-01."},
		{berlin(field("text", "at"), rule("before", "other")), "2026-07-31 12:00", "failed: The at field must be a date before other."},
		{berlin(field("text", "at"), rule("before", "other")), "2026-07-31 11:59", "text=2026-07-31 11:59"},

		{berlin(with(field("instant", "at"), named("date"))), "2026-07-31 12:00", "instant=2026-07-31 10:00:00Z"},
		{berlin(with(field("instant", "at"), named("date"))), "2026-10-25 02:30", "instant=2026-10-25 00:30:00Z"},
		{berlin(with(field("instant", "at"), named("date"))), "2026-03-29 02:30", noDate},
		{berlin(with(field("day", "at"), named("date"))), "20260731", "day=2026-07-31"},
		{berlin(with(field("text", "at"), written)), "31.07.2026 12:00", "text=2026-07-31 12:00 CEST"},
		{berlin(with(field("text", "at"), written)), "31.01.2026 12:00 -05:00", "text=2026-01-31 18:00 CET"},
		{berlin(with(field("text", "at"), written)), "29.03.2026", "text=2026-03-29 00:00 CET"},
		{berlin(with(field("text", "at"), written)), "29.03.2026 02:30", noDate},

		{berlin(validated("d.m.Y H:i")), "29.03.2026 02:30", "failed: Invalid date format. Expected: d.m.Y H:i"},
		{berlin(validated("d.m.Y H:i")), "29.03.2026 03:30", "text=29.03.2026 03:30"},
		{berlin(validated("H:i")), "02:30", "text=02:30"},
	} {
		p := compile(t, c.d, []string{"at", "other"}, happenings())
		if got := outcome(p, c.at, "2026-07-31T10:00Z"); got != c.want {
			t.Errorf("%s of %+v: got %s, want %s", c.at, c.d, got, c.want)
		}
	}
}

// TestEveryTimeOfARowIsInTheTimezone: those of lists, of what is looked up, asked for and compared, too.
func TestEveryTimeOfARowIsInTheTimezone(t *testing.T) {
	t.Parallel()
	d := berlin(field("text", "at"), importer.Rule{Name: "exists", Args: []string{"others", "instant"}})
	d.Destination.Table = "t"
	d.Relations = []importer.Relation{{From: []string{"at"}, To: "wall", Table: "others", Match: "instant", OnMissing: importer.MissingFail}}
	d.Nested = []importer.Nested{{
		From: []string{"list"}, Table: "others", Parent: "text",
		Fields: []importer.Field{with(field("instant", "at"), named("date"))},
	}}
	d.Key, d.OnDuplicate = []string{"at"}, importer.UpdateIfNewer
	d.Compare = &importer.Compare{Source: "at", Column: "instant"}
	p, err := pipeline.Compile(d, pipeline.Setting{
		Header: []string{"at", "list"}, Table: happenings(), Tables: map[string]column.Table{"others": happenings()},
	})
	if err != nil {
		t.Fatal(err)
	}
	const moment = "2026-07-31 10:00:00Z"
	in := row.Row{Number: 1, Line: 2, Cells: []string{"2026-07-31 12:00", `[{"at": "2026-07-31 12:00"}]`}}
	p.Asks(in, func(_ int, value column.Value) {
		if value.Text != moment {
			t.Errorf("the rule asks for %s", value.Text)
		}
	})
	into := room(p)
	asked := false
	if failure := p.Apply(in, func(_ int, value string) bool { asked = value == moment; return asked }, into); failure != nil || !asked {
		t.Fatalf("failed: %+v, asked: %v", failure, asked)
	}
	target := p.Targets()[0]
	if got := into.Values[target.Compare].Text; got != moment {
		t.Errorf("what is compared is %s", got)
	}
	if got := into.Values[target.Belongs[0].At].Text; got != moment {
		t.Errorf("what is looked up is %s", got)
	}
	if got := into.Nested[0][0].Values[1].Text; got != moment {
		t.Errorf("the time of the list is %s", got)
	}
}

func TestDatesOfRulesAreInTheTimezone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*importer.Definition)
		want   string
	}{
		"unknown zone": {
			func(d *importer.Definition) { d.Timezone = "Europe/Atlantis" }, "The timezone 'Europe/Atlantis' is not known here.",
		},
		"skipped": {
			func(d *importer.Definition) {
				d.Rules = []importer.Rules{{Column: "at", Rules: []importer.Rule{{Name: "after", Args: []string{"2026-03-29 02:30"}}}}}
			},
			"The rules of 'at' are wrong: the rule 'after' needs a time that there is in Europe/Berlin, not '2026-03-29 02:30'.",
		},
	} {
		d := berlin(field("text", "at"))
		c.change(&d)
		if _, err := pipeline.Compile(d, pipeline.Setting{Header: []string{"at"}, Table: happenings()}); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// TestMomentsOfAZoneMeetWhereTheirValuesAreEqual: what is written and what a row is routed by are the same moment.
func TestMomentsOfAZoneMeetWhereTheirValuesAreEqual(t *testing.T) {
	t.Parallel()
	d := berlin(field("instant", "at"))
	d.Key = []string{"at"}
	p := compile(t, d, []string{"at"}, happenings())
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringMatching(`2026-(03-29|10-25) 0[0-4]:[03]0(Z|\+0[0-2]:00)?`)
		a, b := text.Draw(rt, "a"), text.Draw(rt, "b")
		routeA, okA := p.Route(row.Row{Cells: []string{a}}, nil)
		routeB, okB := p.Route(row.Row{Cells: []string{b}}, nil)
		valueA, valueB := outcome(p, a), outcome(p, b)
		if okA == strings.HasPrefix(valueA, "failed") || okB == strings.HasPrefix(valueB, "failed") {
			rt.Fatalf("%s: %v, %s; %s: %v, %s", a, okA, valueA, b, okB, valueB)
		}
		if okA && okB && bytes.Equal(routeA, routeB) != (valueA == valueB) {
			rt.Fatalf("%s and %s: %q and %q, %s and %s", a, b, routeA, routeB, valueA, valueB)
		}
	})
}
