// Package integration tests the system as its users meet it: real servers, real processes, real files. Its
// architecture test keeps the rules of DESIGN.md executable.
package integration

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ingest/integration/rig"
)

// longestFile is where a file has become more than one noun.
const longestFile = 400

// source is one Go file of the module.
type source struct {
	dir   string // of its package, relative to the module: "shared/run"
	name  string // relative to the module: "shared/run/run.go"
	test  bool
	lines int
	tree  *ast.File
	set   *token.FileSet
}

func (s source) at(node ast.Node) string {
	return fmt.Sprintf("%s:%d", s.name, s.set.Position(node.Pos()).Line)
}

// imports calls visit with every import; those of the module without its name: "shared/run".
func (s source) imports(visit func(at, path string)) {
	for _, spec := range s.tree.Imports {
		if imported, err := strconv.Unquote(spec.Path.Value); err == nil {
			visit(s.at(spec), strings.TrimPrefix(imported, "ingest/"))
		}
	}
}

// calls calls visit with every use of a name of a standard package, as "time.Sleep".
func (s source) calls(visit func(at, name string)) {
	ast.Inspect(s.tree, func(node ast.Node) bool {
		if selector, ok := node.(*ast.SelectorExpr); ok {
			if owner, ok := selector.X.(*ast.Ident); ok {
				visit(s.at(selector), owner.Name+"."+selector.Sel.Name)
			}
		}
		return true
	})
}

// load parses every Go file of the module, whatever it is built for.
func load(root fs.FS) ([]source, error) {
	var all []source
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			hidden := len(name) > 1 && strings.HasPrefix(entry.Name(), ".")
			if hidden || entry.Name() == "testdata" || name == "tools" || name == "bin" {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, name, text, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, source{
			dir: path.Dir(name), name: name, test: strings.HasSuffix(name, "_test.go"),
			lines: strings.Count(string(text), "\n"), tree: tree, set: set,
		})
		return nil
	})
	return all, err
}

// rule finds what breaks it: one line per place.
type rule struct {
	name string
	find func([]source) []string
}

// rules lists what the architecture promises. Each says in its message what to do instead.
func rules() []rule {
	return []rule{
		{"the arrows point from admin over coordinator and worker to shared", arrows},
		{"shared packages import downwards only", levels},
		{"each technology has one door", doors},
		{"pure packages know no clock, file, network, database or log", purity},
		{"test helpers are imported by tests only", helpers},
		{"nothing happens at import", noInit},
		{"nothing sleeps", noSleep},
		{"goroutines are started by lifecycle only", noGo},
		{"only main makes a root context", noBackground},
		{"every package says what it promises", packageComments},
		{"a file is one noun", shortFiles},
	}
}

func TestArchitecture(t *testing.T) {
	t.Parallel()
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	all, err := load(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules() {
		t.Run(rule.name, func(t *testing.T) {
			t.Parallel()
			for _, problem := range rule.find(all) {
				t.Error(problem)
			}
		})
	}
}

// under says whether a package is dir or below it.
func under(name, dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }

// helper says whether a package exists for tests only.
func helper(dir string) bool {
	return under(dir, "integration") || under(dir, "shared/database/dbtest") || under(dir, "shared/redisstore/redistest") || under(dir, "shared/listener/porttest")
}

func arrows(all []source) []string {
	// What each top-level folder may import of the others.
	may := map[string][]string{
		"admin":       {"admin", "coordinator", "worker", "shared"},
		"coordinator": {"coordinator", "shared"},
		"worker":      {"worker", "shared"},
		"shared":      {"shared"},
		"integration": {"integration", "shared"},
	}
	var found []string
	for _, file := range all {
		from, _, _ := strings.Cut(file.dir, "/")
		allowed, known := may[from]
		if !known {
			found = append(found, file.name+": there is no place for this folder in DESIGN.md; put the package below one that is there")
			continue
		}
		file.imports(func(at, imported string) {
			to, _, _ := strings.Cut(imported, "/")
			if _, ours := may[to]; ours && !slices.Contains(allowed, to) && (!file.test || !helper(imported)) {
				found = append(found, fmt.Sprintf("%s: %s must not import %s; what both need is a noun in shared", at, file.dir, imported))
			}
		})
	}
	return found
}

func levels(all []source) []string {
	// A package imports its own level and lower ones. Tests may look up, but for cycles, which Go refuses.
	order := [][]string{
		{"row", "column", "extend", "failpoint"},
		{"importer", "run", "chunk", "expression"},
		{"lifecycle", "config", "token", "metrics", "durable", "webhook", "listener"},
		{"pipeline", "format", "sink", "source", "spool", "mended"},
		{"redisstore", "database"},
		{"registry", "ledger", "destination", "outlet"},
		{"records"},
		{"control"},
	}
	level := map[string]int{}
	for n, names := range order {
		for _, name := range names {
			level[name] = n
		}
	}
	noun := func(name string) (string, bool) {
		rest, ok := strings.CutPrefix(name, "shared/")
		first, _, _ := strings.Cut(rest, "/")
		return first, ok
	}
	var found []string
	for _, file := range all {
		from, ok := noun(file.dir)
		if !ok || file.test || helper(file.dir) {
			continue
		}
		if _, known := level[from]; !known {
			found = append(found, fmt.Sprintf("%s: shared/%s has no level yet: add it to the order in this test and to DESIGN.md", file.name, from))
			continue
		}
		file.imports(func(at, imported string) {
			if to, ok := noun(imported); ok && level[to] > level[from] {
				found = append(found, fmt.Sprintf("%s: shared/%s must not import shared/%s, which stands above it", at, from, to))
			}
		})
	}
	return found
}

func doors(all []source) []string {
	behind := map[string][]string{
		"github.com/redis/go-redis":     {"shared/redisstore"},
		"github.com/alicebob/miniredis": {"shared/redisstore"},
		// The ledger is here because a chunk's bookkeeping travels as one pgx batch each.
		"github.com/jackc/pgx":            {"shared/database", "shared/destination", "shared/ledger"},
		"modernc.org/sqlite":              {"shared/database"},
		"github.com/pressly/goose":        {"shared/database"},
		"github.com/goccy/go-yaml":        {"shared/importer", "shared/config", "admin"},
		"github.com/alecthomas/kong":      {"admin"},
		"go.uber.org/fx":                  {"admin"},
		"github.com/gorilla/mux":          {"coordinator/internal/api"},
		"github.com/swaggest/swgui":       {"coordinator/internal/api"},
		"github.com/google/jsonschema-go": {"coordinator/internal/api"},
		"github.com/expr-lang/expr":       {"shared/expression"},
		"golang.org/x/net":                {"coordinator/internal/api"},
		"github.com/jedib0t/go-pretty":    {"admin"},
		"github.com/google/go-cmp":        nil,
		"github.com/getkin/kin-openapi":   nil,
		"github.com/chromedp":             nil,
		"go.uber.org/goleak":              nil,
		"pgregory.net/rapid":              nil,
		"testing":                         {"integration", "shared/database/dbtest", "shared/redisstore/redistest", "shared/listener/porttest"},
		"github.com/stretchr/testify":     nil,
		"github.com/klauspost/compress":   {"shared/chunk", "shared/format", "shared/ledger"},
		"golang.org/x/crypto/x509roots":   {"admin"},
		"github.com/cespare/xxhash":       {"shared/chunk", "shared/source", "shared/pipeline", "coordinator", "worker"},
		"github.com/gosimple/unidecode":   {"shared/pipeline"},
		"github.com/cenkalti/backoff":     {"shared/lifecycle", "shared/redisstore", "shared/database", "coordinator", "worker", "admin"},
		"golang.org/x/term":               {"admin"},
		"github.com/prometheus":           {"shared/metrics"},
		"github.com/testcontainers":       {"integration/rig"},
		"github.com/moby":                 {"integration/rig"},
	}
	var found []string
	for _, file := range all {
		if file.test {
			continue
		}
		file.imports(func(at, imported string) {
			for technology, packages := range behind {
				if !under(imported, technology) {
					continue
				}
				if !slices.ContainsFunc(packages, func(dir string) bool { return under(file.dir, dir) }) {
					found = append(found, fmt.Sprintf("%s: %s is behind a door: %s", at, imported, doorText(packages)))
				}
			}
		})
	}
	return found
}

func doorText(packages []string) string {
	if len(packages) == 0 {
		return "only tests import it"
	}
	return "only " + strings.Join(packages, ", ") + " import it; use what they offer"
}

func purity(all []source) []string {
	pure := []string{"shared/row", "shared/column", "shared/importer", "shared/run", "shared/chunk", "shared/pipeline", "shared/expression"}
	banned := []string{
		"os", "net", "io/ioutil", "database", "log", "math/rand", "crypto/rand", "context", "sync", "runtime",
		"go.uber.org/zap", "shared/lifecycle", "shared/config",
	}
	clock := []string{"time.Now", "time.Since", "time.Until", "time.After", "time.AfterFunc", "time.NewTimer", "time.NewTicker", "time.Tick", "time.Local"}
	// Loading definitions is the one thing that reads files; see the package comment of importer.
	reads := func(dir, imported string) bool { return dir == "shared/importer" && imported == "os" }
	// An address is read as a number is: netip opens nothing.
	computes := func(imported string) bool { return imported == "net/netip" }
	var found []string
	for _, file := range all {
		if file.test || !slices.Contains(pure, file.dir) {
			continue
		}
		file.imports(func(at, imported string) {
			for _, ban := range banned {
				if under(imported, ban) && !reads(file.dir, imported) && !computes(imported) {
					found = append(found, fmt.Sprintf("%s: pure package %s must not import %s; let the caller pass the value in", at, file.dir, imported))
				}
			}
		})
		file.calls(func(at, name string) {
			if slices.Contains(clock, name) {
				found = append(found, fmt.Sprintf("%s: pure package %s must not use %s; let the caller pass the time in", at, file.dir, name))
			}
		})
	}
	return found
}

func helpers(all []source) []string {
	var found []string
	for _, file := range all {
		if file.test || helper(file.dir) {
			continue
		}
		file.imports(func(at, imported string) {
			if helper(imported) {
				found = append(found, fmt.Sprintf("%s: %s is for tests only", at, imported))
			}
		})
	}
	return found
}
