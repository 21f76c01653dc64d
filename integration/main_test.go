package integration

import (
	"os"
	"testing"

	"ingest/integration/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }
