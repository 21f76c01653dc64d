package integration

import (
	"fmt"
	"go/ast"
	"path"
	"strings"
	"testing"
	"testing/fstest"
)

func noInit(all []source) []string {
	var found []string
	for _, file := range all {
		for _, declaration := range file.tree.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				found = append(found, file.at(f)+": init() runs behind everybody's back; make a value and pass it")
			}
		}
	}
	return found
}

func noSleep(all []source) []string {
	var found []string
	for _, file := range all {
		file.calls(func(at, name string) {
			if name == "time.Sleep" {
				found = append(found, at+": time.Sleep does not end with its context; use lifecycle.Wait, in tests rig.Until or a channel")
			}
		})
	}
	return found
}

func noGo(all []source) []string {
	var found []string
	for _, file := range all {
		if under(file.dir, "shared/lifecycle") {
			continue
		}
		ast.Inspect(file.tree, func(node ast.Node) bool {
			if node, ok := node.(*ast.GoStmt); ok {
				found = append(found, file.at(node)+": a goroutine needs an owner who joins it; use lifecycle.Tasks or lifecycle.Parallel")
			}
			return true
		})
	}
	return found
}

func noBackground(all []source) []string {
	var found []string
	for _, file := range all {
		if path.Base(file.name) == "main.go" && file.tree.Name.Name == "main" {
			continue
		}
		file.calls(func(at, name string) {
			if name == "context.Background" || name == "context.TODO" {
				found = append(found, at+": "+name+" outside main; take the caller's context, in tests t.Context()")
			}
		})
	}
	return found
}

func packageComments(all []source) []string {
	described := map[string]bool{}
	var dirs []string
	for _, file := range all {
		if _, seen := described[file.dir]; !seen {
			described[file.dir] = false
			dirs = append(dirs, file.dir)
		}
		if file.tree.Doc != nil {
			described[file.dir] = true
		}
	}
	var found []string
	for _, dir := range dirs {
		if !described[dir] {
			found = append(found, dir+": no package comment; say in it what the package promises")
		}
	}
	return found
}

func shortFiles(all []source) []string {
	var found []string
	for _, file := range all {
		if !file.test && file.lines > longestFile {
			found = append(found, fmt.Sprintf("%s: %d lines, at most %d; take a noun out", file.name, file.lines, longestFile))
		}
	}
	return found
}

// TestArchitectureRulesBite gives each rule code that breaks it and code that is almost the same and does not.
func TestArchitectureRulesBite(t *testing.T) {
	t.Parallel()
	long := "// Package run is too long.\npackage run\n"
	for range longestFile {
		long += "\n"
	}
	const inMain = "// Command ingest is a test.\npackage main\n\nimport \"context\"\n\nvar _ = context.Background\n"
	cases := map[string]struct {
		find func([]source) []string
		bad  map[string]string
		good map[string]string
	}{
		"a worker that imports a coordinator": {
			arrows,
			map[string]string{"worker/a.go": imports("worker", "ingest/coordinator")},
			map[string]string{"worker/a.go": imports("worker", "ingest/shared/run")},
		},
		"a shared package that imports admin": {
			arrows,
			map[string]string{"shared/run/a.go": imports("run", "ingest/admin")},
			map[string]string{"admin/a.go": imports("admin", "ingest/shared/run")},
		},
		"a folder nobody knows": {
			arrows,
			map[string]string{"utils/a.go": imports("utils")},
			map[string]string{"admin/a.go": imports("admin")},
		},
		"a lower noun that imports a higher one": {
			levels,
			map[string]string{"shared/chunk/a.go": imports("chunk", "ingest/shared/ledger")},
			map[string]string{"shared/ledger/a.go": imports("ledger", "ingest/shared/chunk")},
		},
		"a noun without a level": {
			levels,
			map[string]string{"shared/misc/a.go": imports("misc")},
			map[string]string{"shared/redisstore/embedded/a.go": imports("embedded", "ingest/shared/lifecycle")},
		},
		"redis outside its door": {
			doors,
			map[string]string{"worker/a.go": imports("worker", "github.com/redis/go-redis/v9")},
			map[string]string{"shared/redisstore/a.go": imports("redisstore", "github.com/redis/go-redis/v9")},
		},
		"testing in production code": {
			doors,
			map[string]string{"worker/a.go": imports("worker", "testing")},
			map[string]string{"worker/a_test.go": imports("worker", "testing")},
		},
		"a pure package that reads files": {
			purity,
			map[string]string{"shared/pipeline/a.go": imports("pipeline", "os")},
			map[string]string{"shared/importer/a.go": imports("importer", "os")},
		},
		"a pure package with a clock": {
			purity,
			map[string]string{"shared/run/a.go": imports("run", "time") + "\nvar _ = time.Now\n"},
			map[string]string{"shared/run/a.go": imports("run", "time") + "\nvar _ = time.Second\n"},
		},
		"a test helper in production code": {
			helpers,
			map[string]string{"worker/a.go": imports("worker", "ingest/shared/database/dbtest")},
			map[string]string{"worker/a_test.go": imports("worker", "ingest/shared/database/dbtest")},
		},
		"init": {
			noInit,
			map[string]string{"worker/a.go": "package worker\n\nfunc init() {}\n"},
			map[string]string{"worker/a.go": "package worker\n\ntype t int\n\nfunc (t) init() {}\n"},
		},
		"sleep": {
			noSleep,
			map[string]string{"worker/a_test.go": imports("worker", "time") + "\nvar _ = time.Sleep\n"},
			map[string]string{"worker/a.go": imports("worker", "time") + "\nvar _ = time.Hour\n"},
		},
		"go": {
			noGo,
			map[string]string{"worker/a.go": "package worker\n\nfunc f() { go f() }\n"},
			map[string]string{"shared/lifecycle/a.go": "package lifecycle\n\nfunc f() { go f() }\n"},
		},
		"background": {
			noBackground,
			map[string]string{"admin/main.go": "package admin\n\nimport \"context\"\n\nvar _ = context.Background\n"},
			map[string]string{"admin/ingest/main.go": inMain},
		},
		"no package comment": {
			packageComments,
			map[string]string{"worker/a.go": "package worker\n"},
			map[string]string{"worker/a.go": "// Package worker works.\npackage worker\n", "worker/b.go": "package worker\n"},
		},
		"a long file": {
			shortFiles,
			map[string]string{"shared/run/a.go": long},
			map[string]string{"shared/run/a_test.go": long},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if problems := c.find(parse(t, c.bad)); len(problems) == 0 {
				t.Error("the rule does not see it")
			}
			if problems := c.find(parse(t, c.good)); len(problems) != 0 {
				t.Errorf("the rule sees what is allowed: %q", problems)
			}
		})
	}
}

// parse loads files given by name.
func parse(t *testing.T, files map[string]string) []source {
	t.Helper()
	module := fstest.MapFS{}
	for name, text := range files {
		module[name] = &fstest.MapFile{Data: []byte(text)}
	}
	all, err := load(module)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// imports is the text of a file of a package with these imports.
func imports(name string, paths ...string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "package %s\n\n", name)
	for _, imported := range paths {
		fmt.Fprintf(&text, "import %q\n", imported)
	}
	return text.String()
}
