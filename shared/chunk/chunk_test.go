package chunk

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"ingest/shared/row"
	"ingest/shared/run"
)

func rows() *rapid.Generator[[]row.Row] {
	return rapid.Custom(func(t *rapid.T) []row.Row {
		var list []row.Row
		number, line := int64(0), int64(0)
		for range rapid.IntRange(1, 20).Draw(t, "rows") {
			number += rapid.Int64Range(1, 1<<40).Draw(t, "gap")
			line += rapid.Int64Range(-5, 1<<30).Draw(t, "lines")
			list = append(list, row.Row{
				Number: number, Line: line, Fault: rapid.SampledFrom([]string{"", "broken"}).Draw(t, "fault"),
				Cells: rapid.SliceOfN(rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
					0, 8).Draw(t, "cells"),
			})
		}
		return list
	})
}

func build(list []row.Row) *Builder {
	var b Builder
	for _, r := range list {
		b.Append(r)
	}
	return &b
}

func TestPayloadComesBackAsItWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rows().Draw(t, "rows")
		b := build(want)
		got, hash, err := Decode(b.Payload())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		if hash != b.Hash() || b.First() != want[0].Number || b.Last() != want[len(want)-1].Number {
			t.Fatalf("hash %s first %d last %d of %v", hash, b.First(), b.Last(), want)
		}
	})
}

func TestHeadSaysHowManyRows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		list := rows().Draw(r, "rows")
		if n, err := Count(build(list).Payload()); err != nil || n != len(list) {
			r.Fatalf("%d rows, %v; want %d", n, err, len(list))
		}
	})
	for _, damaged := range [][]byte{nil, {2, 1}, {1}, {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}} {
		if n, err := Count(damaged); !errors.Is(err, ErrDamaged) {
			t.Errorf("%v: %d rows, %v", damaged, n, err)
		}
	}
}

func TestHashTellsRowsApart(t *testing.T) {
	t.Parallel()
	base := []row.Row{{Number: 1, Line: 2, Cells: []string{"ab", "c"}}}
	for name, other := range map[string][]row.Row{
		"number": {{Number: 2, Line: 2, Cells: []string{"ab", "c"}}},
		"cells":  {{Number: 1, Line: 2, Cells: []string{"a", "bc"}}},
		"count":  {{Number: 1, Line: 2, Cells: []string{"ab", "c", ""}}},
		"fault":  {{Number: 1, Line: 2, Cells: []string{"ab", "c"}, Fault: "x"}},
	} {
		if build(base).Hash() == build(other).Hash() {
			t.Errorf("%s: the hash is the same", name)
		}
	}
}

func TestBuilderCanBeUsedAgain(t *testing.T) {
	t.Parallel()
	b := build([]row.Row{{Number: 7, Cells: []string{"x"}}})
	first := b.Payload()
	b.Reset()
	b.Append(row.Row{Number: 8, Cells: []string{"y"}})
	if got, _, err := Decode(first); err != nil || got[0].Cells[0] != "x" {
		t.Fatalf("the first payload changed: %v, %v", got, err)
	}
	if got, _, err := Decode(b.Payload()); err != nil || got[0].Number != 8 || b.Rows() != 1 {
		t.Fatalf("the second payload is %v, %v", got, err)
	}
}

func TestLoggedRowsKeepEveryByte(t *testing.T) {
	t.Parallel()
	want := []Logged{
		{
			Row: row.Row{Number: 3, Line: 4, Cells: []string{"\xff\x00é", ""}}, Status: StatusFailed, Message: "no",
			Fields: []FieldMessage{{Column: "E-Mail", Messages: []string{"a", "b"}}},
		},
		{Row: row.Row{Number: 9, Line: 11, Fault: "torn"}, Status: StatusFailed, Message: "torn"},
	}
	data, err := EncodeLogged(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeLogged(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatal(diff)
	}
	if data, err := EncodeLogged(nil); data != nil || err != nil {
		t.Fatalf("no rows encode to %v, %v", data, err)
	}
	if got, err := DecodeLogged(nil); got != nil || err != nil {
		t.Fatalf("no bytes decode to %v, %v", got, err)
	}
}

func TestOutcomeCountsFailuresByMessage(t *testing.T) {
	t.Parallel()
	var o Outcome
	field := []FieldMessage{{Column: "a", Messages: []string{"x", "y"}}}
	o.Fail(row.Row{Number: 1}, "x (and 1 more error)", field)
	o.Fail(row.Row{Number: 2}, "x (and 1 more error)", field)
	o.Fail(row.Row{Number: 3}, "z", nil)
	if diff := cmp.Diff(map[string]int64{"x (and 1 more error)": 2, "z": 1}, o.Errors); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int64{"a: x": 2, "a: y": 2}, o.Validation); diff != "" {
		t.Error(diff)
	}
	if o.Counts.Failed != 3 || len(o.Logged) != 3 {
		t.Errorf("failed %d, logged %d", o.Counts.Failed, len(o.Logged))
	}
}

func TestWhichRowsAreKept(t *testing.T) {
	t.Parallel()
	rows := []row.Row{{Number: 1, Line: 2, Cells: []string{"a"}}, {Number: 2, Line: 3, Cells: []string{"b"}}}
	for what, want := range map[string][]Logged{
		run.LogFailed: {{Row: rows[1], Status: StatusFailed, Message: "no"}},
		run.LogAll:    {{Row: rows[0], Status: StatusSuccessful}, {Row: rows[1], Status: StatusFailed, Message: "no"}},
		run.LogNone:   {{Row: row.Row{Number: 2, Line: 3}, Status: StatusFailed, Message: "no"}},
	} {
		var o Outcome
		o.Fail(rows[1], "no", nil)
		o.Keep(what, rows)
		if diff := cmp.Diff(want, o.Logged); diff != "" || o.Counts.Failed != 1 {
			t.Errorf("%s: %s", what, diff)
		}
	}
}

func TestDamagedBytesAreRefused(t *testing.T) {
	t.Parallel()
	good := build([]row.Row{{Number: 1, Cells: []string{"abc"}}}).Payload()
	for name, payload := range map[string][]byte{
		"empty": {}, "unknown version": {99, 1, 2}, "cut off": good[:len(good)-1], "no count": {payloadVersion},
	} {
		if _, _, err := Decode(payload); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzDecode: no bytes make a reader panic, and what decodes encodes to rows that decode to the same.
func FuzzDecode(f *testing.F) {
	f.Add(build([]row.Row{{Number: 1, Cells: []string{"abc", ""}}, {Number: 2, Fault: "x"}}).Payload())
	logged, err := EncodeLogged([]Logged{{Row: row.Row{Number: 1, Cells: []string{"a"}}, Status: StatusFailed}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(logged)
	f.Fuzz(func(t *testing.T, payload []byte) {
		if rows, err := DecodeLogged(payload); err == nil && len(payload) > 0 && len(rows) == 0 {
			t.Log("no rows logged")
		}
		list, _, err := Decode(payload)
		if err != nil || len(list) == 0 {
			return
		}
		again, _, err := Decode(build(list).Payload())
		if diff := cmp.Diff(list, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
	})
}

func BenchmarkPayload(b *testing.B) {
	list := make([]row.Row, 1000)
	for i := range list {
		list[i] = row.Row{Number: int64(i + 1), Line: int64(i + 2), Cells: []string{
			fmt.Sprintf("SKU-%08d", i), "a name of a product", "a description that is somewhat longer than the name", "12.50",
			"category", "17",
		}}
	}
	payload := build(list).Payload()
	b.Run("encode", func(b *testing.B) {
		var builder Builder
		for b.Loop() {
			builder.Reset()
			for _, r := range list {
				builder.Append(r)
			}
			builder.Payload()
		}
		b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := Decode(payload); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "rows/s")
	})
}
