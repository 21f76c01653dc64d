package destination

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

// Where most rows of a chunk differed, the next ones are overwritten without being looked at, until most do not.
func TestWhatProbablyDiffersIsOverwrittenAtOnce(t *testing.T) {
	t.Parallel()
	db := postgresOnly(t)
	name := newName()
	execute(t, db, "CREATE TABLE "+name+" (k text UNIQUE, a text, b integer CHECK (b < 9))",
		"INSERT INTO "+name+" VALUES ('1', 'x', 0), ('2', 'x', 0), ('3', 'x', 0), ('4', 'x', 0)")
	w, err := New(db, target(t, db, name, importer.Update, []string{"k"}, []string{"k", "a", "b"}))
	if err != nil {
		t.Fatal(err)
	}
	p := w.(*writer).plan
	for _, step := range []struct {
		rows     []string
		want     string
		changing bool
	}{
		{[]string{"1,y,0", "2,y,0", "3,y,0", "4,x,0"}, "UUU=", true},
		{[]string{"1,z,0", "2,z,0", "3,z,0", "4,x,0", "5,z,0"}, "UUU=C", true},
		{[]string{"1,v,0", "2,v,0", "2,u,0", "2,u,0", "NULL,v,0", "3,v,-"}, "UUU=CU", true},
		{[]string{"1,w,0", "2,w,9", "3,w,0", "4,w,0"}, "UFUU", true},
		{[]string{"1,w,0", "2,w,0", "3,w,0", "4,w,0"}, "=U==", false},
		{[]string{"1,w,0", "2,w,0", "3,w,0", "4,w,0"}, "====", false},
	} {
		var results []Result
		transact(t, db, func(ctx context.Context, tx *database.Tx) (err error) {
			results, err = w.Write(ctx, tx, cells(t, p.Columns, step.rows...))
			return err
		})
		if got := outcomes(results); got != step.want || p.changing.Load() != step.changing {
			t.Errorf("%q: %s, changing %v, want %s, %v", step.rows, got, p.changing.Load(), step.want, step.changing)
		}
	}
	want := []string{"1|w|0", "2|w|0", "3|w|0", "4|w|0", "5|z|0", "<null>|v|0"}
	if diff := cmp.Diff(want, contents(t, db, p.Table)); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

// A trigger would see a row that it leaves out once more, a rule could make something else of the statement.
func TestWhatTriggersAndRulesSeeIsLookedAtFirst(t *testing.T) {
	t.Parallel()
	for what, want := range map[string]bool{
		"CHECK constraint c": true, "foreign key f of other": true, "trigger t": false, "a rule or row-level security": false,
	} {
		if got := rewritable(column.Table{Refuses: []string{what}}); got != want {
			t.Errorf("%s: %v", what, got)
		}
	}
}
