package rig

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"testing"
	"time"
)

// startLimit is how long a server may take until it answers, on a machine that is busy with other tests.
const startLimit = 60 * time.Second

// newest returns the match of a pattern like /usr/lib/postgresql/*/bin/postgres with the greatest version, "" for none.
func newest(pattern string) string {
	matches, err := filepath.Glob(pattern)
	if err != nil || len(matches) == 0 {
		return ""
	}
	version := func(path string) int {
		n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if err != nil {
			return 0
		}
		return n
	}
	sort.Slice(matches, func(i, j int) bool { return version(matches[i]) < version(matches[j]) })
	return matches[len(matches)-1]
}

// subdirectory makes a directory in the workspace that is removed with the test. Unlike t.TempDir it can be reached by
// the user that PostgreSQL runs as.
func subdirectory(t testing.TB, prefix string) string {
	t.Helper()
	parent, err := shared.dir()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(parent, prefix)
	if err != nil {
		t.Fatalf("make a directory for %s: %v", prefix, err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the directory of %s: %v", prefix, err)
		}
	})
	return dir
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
