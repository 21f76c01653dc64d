package integration

import (
	"os"
	"time"
)

// fullMatrix says whether long tests run every combination: `make matrix`.
func fullMatrix() bool { return os.Getenv("INGEST_TEST_MATRIX") == "full" }

// lookBack is how long a test watches that nothing happens.
const lookBack = 2 * time.Second
