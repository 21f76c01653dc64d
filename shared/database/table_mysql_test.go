package database_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/database/dbtest"
)

func TestMariaDBCatalog(t *testing.T) {
	t.Parallel()
	db := open(t, database.Config{URL: dbtest.MariaDB(t)})
	exec(t, db, `CREATE TABLE "Items" (
			id bigint unsigned AUTO_INCREMENT PRIMARY KEY, tiny tinyint DEFAULT 7, small smallint NOT NULL, medium mediumint, n int(5) unsigned,
			ok boolean, price decimal(10,2), f float, g double DEFAULT NULL, d date, t time(3), ts datetime(6), tz timestamp NULL,
			sku varchar(12) CHARACTER SET latin1 NOT NULL, code char(4) COLLATE utf8mb4_bin, name text COLLATE utf8mb4_nopad_bin,
			j json, b varbinary(9), e enum('A','b'), y year, bits bit(5), bit bit, fixed binary(4), fd float(7,2), u uuid, cu char(36) COLLATE utf8mb4_bin COMMENT 'uuid', twice bigint GENERATED ALWAYS AS (small * 2) STORED, late int AS (small + 1),
			parent bigint unsigned, UNIQUE sku_once (sku), UNIQUE pair (medium, code), UNIQUE twice_once (twice), UNIQUE start (name(10)),
			CONSTRAINT cheap CHECK (price < 100), CONSTRAINT up FOREIGN KEY (parent) REFERENCES "Items" (id))`,
		`CREATE TABLE child (item bigint unsigned, CONSTRAINT belongs FOREIGN KEY (item) REFERENCES "Items" (id))`,
		`CREATE TRIGGER watch BEFORE INSERT ON "Items" FOR EACH ROW SET NEW.small = 1`,
		"CREATE VIEW v AS SELECT 1 AS a", "CREATE TABLE old (a int) ENGINE = MyISAM")
	got := describe(t, db, "Items")
	want := column.Table{
		Schema: got.Schema, Name: "Items",
		Columns: []column.Column{
			{Name: "id", Type: column.Type{Kind: column.Integer, Native: "bigint(20) unsigned", Bits: 64, Unsigned: true}, NotNull: true, Default: true},
			{Name: "tiny", Type: column.Type{Kind: column.Integer, Native: "tinyint(4)", Bits: 8}, Default: true},
			{Name: "small", Type: column.Type{Kind: column.Integer, Native: "smallint(6)", Bits: 16}, NotNull: true},
			{Name: "medium", Type: column.Type{Kind: column.Integer, Native: "mediumint(9)", Bits: 24}},
			{Name: "n", Type: column.Type{Kind: column.Integer, Native: "int(5) unsigned", Bits: 32, Unsigned: true}},
			{Name: "ok", Type: column.Type{Kind: column.Boolean, Native: "tinyint(1)"}},
			{Name: "price", Type: column.Type{Kind: column.Decimal, Native: "decimal(10,2)", Precision: 10, Scale: 2}},
			{Name: "f", Type: column.Type{Kind: column.Float, Native: "float", Bits: 32}},
			{Name: "g", Type: column.Type{Kind: column.Float, Native: "double"}},
			{Name: "d", Type: column.Type{Kind: column.Date, Native: "date"}},
			{Name: "t", Type: column.Type{Kind: column.Time, Native: "time(3)"}},
			{Name: "ts", Type: column.Type{Kind: column.Datetime, Native: "datetime(6)"}},
			{Name: "tz", Type: column.Type{Kind: column.Datetime, Native: "timestamp(0)", Zone: true}},
			{Name: "sku", Type: column.Type{Kind: column.Text, Native: "varchar(12)", Length: 12}, NotNull: true, Fold: column.FoldUnknown, Collation: "latin1_swedish_ci"},
			{Name: "code", Type: column.Type{Kind: column.Text, Native: "char(4)", Length: 4}, Fold: column.FoldRTrim, Collation: "utf8mb4_bin"},
			{Name: "name", Type: column.Type{Kind: column.Text, Native: "text"}, Collation: "utf8mb4_nopad_bin"},
			{Name: "j", Type: column.Type{Kind: column.JSON, Native: "longtext"}, Fold: column.FoldRTrim, Collation: "utf8mb4_bin"},
			{Name: "b", Type: column.Type{Kind: column.Bytes, Native: "varbinary(9)"}},
			{Name: "e", Type: column.Type{Kind: column.Other, Native: "enum('A','b')"}, Fold: column.FoldUnknown, Collation: "utf8mb4_general_ci"},
			{Name: "y", Type: column.Type{Kind: column.Other, Native: "year(4)"}, Fold: column.FoldUnknown},
			{Name: "bits", Type: column.Type{Kind: column.Integer, Native: "bit(5)", Bits: 5, Unsigned: true}},
			{Name: "bit", Type: column.Type{Kind: column.Boolean, Native: "bit(1)"}},
			{Name: "fixed", Type: column.Type{Kind: column.Bytes, Native: "binary(4)"}, Fold: column.FoldUnknown},
			{Name: "fd", Type: column.Type{Kind: column.Float, Native: "float(7,2)", Bits: 32}, Fold: column.FoldUnknown},
			{Name: "u", Type: column.Type{Kind: column.UUID, Native: "uuid"}},
			{Name: "cu", Type: column.Type{Kind: column.UUID, Native: "char(36)"}, Collation: "utf8mb4_bin"},
			{Name: "twice", Type: column.Type{Kind: column.Integer, Native: "bigint(20)", Bits: 64}, Generated: true},
			{Name: "late", Type: column.Type{Kind: column.Integer, Native: "int(11)", Bits: 32}, Generated: true},
			{Name: "parent", Type: column.Type{Kind: column.Integer, Native: "bigint(20) unsigned", Bits: 64, Unsigned: true}},
		},
		Unique: []column.Index{
			{Name: "PRIMARY", Columns: []string{"id"}, Primary: true},
			{Name: "pair", Columns: []string{"medium", "code"}},
			{Name: "sku_once", Columns: []string{"sku"}},
			{Name: "twice_once", Columns: []string{"twice"}},
		},
		Meets:   []string{"unique index start", "unique index twice_once", "foreign key up to the table itself"},
		Refuses: []string{"CHECK constraint cheap", "foreign key up", "foreign key belongs of child", "trigger watch"},
		Checks:  []column.Check{{Name: "cheap", Columns: []string{"price"}, Expression: `"price" < 100`}},
		Foreign: []column.ForeignKey{{Columns: []string{"parent"}, Schema: got.Schema, Table: "Items", References: []string{"id"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, name := range []string{"items", "nowhere", "nowhere.Items", "", "'", "`Items`"} {
		if _, err := db.Table(t.Context(), name); !errors.Is(err, database.ErrNoTable) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if qualified := describe(t, db, got.Schema+".Items"); !cmp.Equal(got, qualified) {
		t.Errorf("by its whole name: %s", cmp.Diff(got, qualified))
	}
	for name, says := range map[string]string{"v": "it is a view", "old": "its storage engine MyISAM has no transactions: ALTER TABLE `old` ENGINE = InnoDB"} {
		if _, err := db.Table(t.Context(), name); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
