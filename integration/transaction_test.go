package integration

import (
	"testing"

	"ingest/integration/rig"
)

// TestTransactionChunk: one bad row fails its whole chunk, whoever refuses it; every row of it says why.
func TestTransactionChunk(t *testing.T) {
	t.Parallel()
	const more = "transaction: chunk\nchunk_size: 3\nrules: {a: integer}\n"
	table := []string{"CREATE TABLE x (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b TEXT, c TEXT CHECK (c <> 'bad'))"}
	check(t, map[string]trial{
		"a row that breaks a rule": {
			file: "a,b,c\n1,x,y\n2,x,y\n3,x,y\n4,x,y\nfive,x,y\n6,x,y\n7,x,y\n", more: more, tables: table,
			want: withErrors(7, []string{
				"4@5 Rolled back: row 5 of the same chunk failed.",
				"5@6 The a field must be an integer.",
				"6@7 Rolled back: row 5 of the same chunk failed.",
			}, "1|x|y", "2|x|y", "3|x|y", "7|x|y"),
		},
		"rows that the database refuses": {
			file: "a,b,c\n1,x,y\n2,x,bad\n3,x,y\n4,x,y\n5,x,y\n6,x,y\n1,x,y\n", more: more, tables: table,
			want: withErrors(7, []string{
				"1@2 Rolled back: row 2 of the same chunk failed.",
				"2@3 The database refused the row (275).",
				"3@4 Rolled back: row 2 of the same chunk failed.",
			}, "1|x|y", "4|x|y", "5|x|y", "6|x|y"),
		},
		"both in one chunk": {
			file: "a,b,c\none,x,y\n2,x,y\n3,x,bad\n", more: more, tables: table,
			want: withErrors(3, []string{
				"1@2 The a field must be an integer.",
				"2@3 Rolled back: row 1 of the same chunk failed.",
				"3@4 The database refused the row (275).",
			}),
		},
		"rows that skip_when leaves out": {
			file: "a,b,c\nskip,x,y\n2,x,y\n3,x,y\nfour,x,y\nskip,x,y\n6,x,y\n", more: more + "skip_when: 'row.a == \"skip\"'\n", tables: table,
			want: withErrors(6, []string{
				"4@5 The a field must be an integer.",
				"6@7 Rolled back: row 4 of the same chunk failed.",
			}, "2|x|y", "3|x|y"),
		},
		"good chunks": {file: "a,b,c\n1,x,y\n2,x,y\n3,x,y\n4,x,y\n", more: more, tables: table, want: complete(4, "1|x|y", "2|x|y", "3|x|y", "4|x|y")},
	})
}

// TestTransactionChunkIsRetriedAsAWhole: its dry run says the same, and mended rows take their neighbours along.
func TestTransactionChunkIsRetriedAsAWhole(t *testing.T) {
	t.Parallel()
	sys := trial{
		file: "a,b,c\n1,x,y\n2,x,y\nthree,x,y\n4,x,y\n", more: "transaction: chunk\nchunk_size: 3\nrules: {a: integer}\n",
	}.install(t)
	for id, args := range [][]string{{"run", "x", "--dry-run"}, {"run", "x"}} {
		sys.Must(3, args...)
		if r := sys.Status(int64(id + 1)); r.Progress.Failed != 3 || r.Created != 1 {
			t.Errorf("%v: %d failed, %d created, want 3 and 1", args, r.Progress.Failed, r.Created)
		}
	}
	mend(t, sys, "rules: {a: integer}", "rules: {a: string}")
	sys.Must(0, "retry", "2")
	if r := sys.Status(3); r.Created != 3 {
		t.Errorf("%d rows created by the retry, want 3", r.Created)
	}
	if rows := rig.Dump(t, sys.Database(), "x"); len(rows) != 4 {
		t.Errorf("the table has %d rows, want 4: %v", len(rows), rows)
	}
}
