package integration

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/rig"
)

const happenings = `importer: happenings
source: {path: happenings.csv}
destination: {table: happenings, create_table: true}
timezone: America/New_York
key: [at]
on_duplicate: update
partitions: 4
fields:
  - {from: at, to: at, type: datetime}
  - {from: day, to: day, type: date}
  - {from: what, to: what}
rules:
  day: after:2026-01-01
`

// TestTimesOfAnImporterAreInItsTimezone: the same moment is the same row, however it is spelled, and reads back unchanged.
func TestTimesOfAnImporterAreInItsTimezone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		settings := rig.SystemOptions{
			RedisURL: rig.StartRedis(t, rig.RedisOptions{}).URL(), Importers: map[string]string{"happenings.yaml": happenings},
			Env: []string{"TZ=Asia/Tokyo"},
		}
		if to == toPostgres {
			settings.Database = rig.StartPostgres(t).Database("app")
		}
		sys := rig.NewSystem(t, settings)
		sys.Write("happenings.csv", "at,day,what\n"+
			"2026-07-31 12:00,2026-07-31,first\n2026-07-31T16:00:00Z,2026-07-31,the same\n"+
			"2026-01-31 12:00,2026-01-31,winter\n2026-03-08 02:30,2026-03-08,skipped\n2026-11-01 01:30,2026-11-01,twice\n")
		sys.Migrate()
		sys.Coordinator()
		sys.Worker()
		sys.Must(3, "run", "happenings")
		want := []string{
			"at=2026-01-31 17:00:00\tday=2026-01-31\twhat=winter", "at=2026-07-31 16:00:00\tday=2026-07-31\twhat=the same",
			"at=2026-11-01 05:30:00\tday=2026-11-01\twhat=twice",
		}
		got := sys.Dump("happenings")
		for i := range got {
			got[i] = strings.Replace(got[i], "+00\t", "\t", 1) // a timestamptz says where it is shown
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		sys.Must(3, "run", "happenings")
		if r := sys.Status(2); r.Unchanged != 2 || r.Updated != 2 || r.Progress.Failed != 1 {
			t.Errorf("the second import: %+v", r)
		}
		if shown := sys.Must(0, "errors", "1"); !strings.Contains(shown, "The at field must be a valid date.") {
			t.Errorf("errors: %s", shown)
		}
	})
}
