package bench

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// machine says what the figures hold for.
func machine(t testing.TB) []Fact {
	t.Helper()
	version := func(program string, args ...string) string {
		output, err := run(t, "", program, args...)
		if err != nil {
			return "not installed"
		}
		return first(output)
	}
	return []Fact{
		{"processor", fmt.Sprintf("%s, %d cores", field("/proc/cpuinfo", "model name"), runtime.NumCPU())},
		{"memory", field("/proc/meminfo", "MemTotal")},
		{"kernel", "Linux " + line("/proc/sys/kernel/osrelease")},
		{"load before it began", line("/proc/loadavg")},
		{"Go", strings.TrimPrefix(runtime.Version(), "go")},
		{"ingest", version("git", "log", "-1", "--format=%h of %cs")},
		{"PostgreSQL", version(located("postgres"), "--version")},
		{"MariaDB", version(located("mariadbd"), "--version")},
		{"Redis", version("redis-server", "--version")},
	}
}

// peers says which programs the engine is measured beside, and which are missing.
func peers() []Fact {
	var found []Fact
	for _, program := range []struct{ name, flag, debian string }{
		{"psql", "--version", "postgresql-client"},
		{"pgloader", "--version", "pgloader"},
		{"mariadb", "--version", "mariadb-client"},
		{"sqlite3", "--version", "sqlite3"},
	} {
		output, err := exec.Command(program.name, program.flag).Output()
		if err != nil {
			found = append(found, Fact{program.name, "not installed (apt-get install " + program.debian + "): its lines are missing below"})
			continue
		}
		found = append(found, Fact{program.name, first(string(output))})
	}
	return found
}

// installed says whether a peer can be measured.
func installed(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// located is where Debian keeps a server that is in nobody's PATH.
func located(program string) string {
	for _, path := range []string{program, "/usr/lib/postgresql/15/bin/" + program, "/usr/sbin/" + program} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	return program
}

func first(text string) string {
	head, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return head
}

func line(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	return first(string(text))
}

// field is the value of the first line "name : value" of a file.
func field(path, name string) string {
	file, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
