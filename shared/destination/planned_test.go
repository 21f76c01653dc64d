package destination

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

// TestWhatIsPlannedIsWhatIsMade: the types are those that the catalog then has.
func TestWhatIsPlannedIsWhatIsMade(t *testing.T) {
	t.Parallel()
	d := importer.Definition{Destination: importer.Destination{Table: "planned", CreateTable: new(bool)}}
	*d.Destination.CreateTable = true
	for _, kind := range []string{
		"", "text", "integer", "bigint", "decimal", "decimal(10,2)", "decimal(5)", "float", "boolean", "date", "datetime", "json", "uuid",
	} {
		d.Fields = append(d.Fields, importer.Field{From: []string{kind}, To: "c_" + kind, Type: kind})
	}
	definitions := []importer.Definition{d, shop()}
	forEach(t, func(t *testing.T, _ features, db *database.DB) {
		for _, d := range definitions {
			if err := Create(t.Context(), db, d); err != nil {
				t.Fatal(err)
			}
			for _, name := range append(d.Tables(), d.Destination.Table) {
				made, err := db.Table(t.Context(), name)
				if err != nil {
					t.Fatal(err)
				}
				planned, err := Planned(db.Dialect(), d, name)
				if err != nil {
					t.Fatal(err)
				}
				for _, want := range planned.Columns {
					got, _ := made.Column(want.Name)
					if diff := cmp.Diff(bare(got.Type), bare(want.Type)); diff != "" {
						t.Errorf("%s.%s (-made +planned):\n%s", name, want.Name, diff)
					}
				}
			}
		}
	})
}

// bare is a type without the database's own name.
func bare(t column.Type) column.Type {
	t.Native = ""
	return t
}
