package integration

import (
	"fmt"
	"strings"
	"testing"

	"ingest/integration/rig"
)

// TestASmallImportBehindAGreatOne: the one slot of the one worker has been working the one partition of a great run for a while.
// The small run that comes then is finished long before it.
func TestASmallImportBehindAGreatOne(t *testing.T) {
	t.Parallel()
	definition := "importer: %s\nsource: {path: %s.csv}\nchunk_size: %d\npartitions: 1\ndestination: {connection: nowhere, table: rows}\n" +
		"fields:\n  - {from: id, to: id}\n"
	s := rig.NewSystem(t, rig.SystemOptions{
		RedisURL: rig.StartRedis(t, rig.RedisOptions{}).URL(),
		Env:      []string{"INGEST_CONNECTIONS_NOWHERE_URL=discard:", "INGEST_SLOTS=1"},
		Importers: map[string]string{
			"great.yaml": fmt.Sprintf(definition, "great", "great", 5), "small.yaml": fmt.Sprintf(definition, "small", "small", 100),
		},
	})
	s.Write("great.csv", "id\n"+strings.Repeat("1\n", 500_000))
	s.Write("small.csv", "id\n"+strings.Repeat("1\n", 100))
	s.Coordinator()
	s.Worker()
	great := s.Begin("great")
	rig.Until(t, patience, "the great run being worked", func() bool { return s.Status(great).Progress.Processed > 0 })
	small := s.Begin("small")
	if r := s.Await(small, patience); r.Status != "completed" {
		t.Errorf("the small run: %+v", r)
	}
	if r := s.Status(great); r.Terminal() {
		t.Errorf("the small run had to wait for the great one: %+v", r)
	}
	s.Must(0, "cancel", fmt.Sprint(great))
	if r := s.Await(great, patience); r.Status != "cancelled" {
		t.Errorf("the great run: %+v", r)
	}
}
