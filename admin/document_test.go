package admin

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"ingest/integration/rig"
	"ingest/shared/run"
)

// section is a part of docs/cli.md that is made from the code; the rest is written by hand.
var section = regexp.MustCompile(`(?s)<!-- generated: ([a-z -]+) -->\n.*?<!-- end -->`)

// TestTheDocumentIsTrue compares docs/cli.md with the model: every command, argument, flag, setting and exit code.
func TestTheDocumentIsTrue(t *testing.T) {
	t.Parallel()
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "docs/cli.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	parser, err := newParser(&cli{}, Options{}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	made := sections(parser.Model)
	var seen []string
	got := section.ReplaceAllStringFunc(string(text), func(old string) string {
		name := section.FindStringSubmatch(old)[1]
		seen = append(seen, name)
		body, known := made[name]
		if !known {
			t.Errorf("the code knows nothing of the section %q", name)
		}
		return "<!-- generated: " + name + " -->\n" + body + "<!-- end -->"
	})
	for name := range made {
		if n := strings.Count(strings.Join(seen, "\n")+"\n", name+"\n"); !slices.Contains(seen, name) {
			t.Errorf("%d sections %q, want one: <!-- generated: %s --> and <!-- end -->", n, name, name)
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(text), got); diff != "" {
		t.Errorf("docs/cli.md differs from the code (-document +code), -update mends it:\n%s", diff)
	}
}

func sections(model *kong.Application) map[string]string {
	made := map[string]string{"exit codes": exitCodes()}
	var common, settings []*kong.Flag
	for _, flag := range model.Flags {
		if flag.Group == nil {
			common = append(common, flag)
		} else {
			settings = append(settings, flag)
		}
	}
	made["flags"], made["settings"] = table("flag", nil, common), table("flag", nil, settings)
	for _, command := range commands(model.Node) {
		body := command.Help + "\n\n    ingest " + command.Summary() + "\n\n"
		if len(command.Positional)+len(command.Flags) > 0 {
			body += table("argument or flag", command.Positional, command.Flags)
		}
		made[strings.TrimPrefix(command.FullPath(), "ingest ")] = body
	}
	return made
}

// commands are those that do something, and not the words that stand before others.
func commands(node *kong.Node) (all []*kong.Node) {
	for _, child := range node.Children {
		if len(child.Children) == 0 {
			all = append(all, child)
		}
		all = append(all, commands(child)...)
	}
	return all
}

func table(title string, arguments []*kong.Positional, flags []*kong.Flag) string {
	var text strings.Builder
	fmt.Fprintf(&text, "| %s | meaning |\n|---|---|\n", title)
	cell := strings.NewReplacer("|", `\|`).Replace
	for _, argument := range arguments {
		fmt.Fprintf(&text, "| `%s` | %s |\n", argument.Summary(), cell(argument.Help))
	}
	for _, flag := range flags {
		name := flag.Summary()
		if flag.Short != 0 {
			name = "-" + string(flag.Short) + ", " + name
		}
		fmt.Fprintf(&text, "| `%s` | %s |\n", cell(name), cell(helpOf(flag.Value)))
	}
	return text.String()
}

func exitCodes() string {
	var text strings.Builder
	text.WriteString("| code | meaning |\n|---|---|\n| 0 | done |\n")
	for _, c := range []struct {
		code    int
		meaning string
	}{
		{exitRefused, "failed or refused; `check` and `verify`: there is a problem"},
		{exitUsage, "wrong usage: the command line or the configuration"},
		{exitInterrupted, "interrupted; the run goes on or can be continued"},
	} {
		fmt.Fprintf(&text, "| %d | %s |\n", c.code, c.meaning)
	}
	for _, status := range run.Statuses() {
		if !status.Terminal() {
			continue
		}
		code, _ := exitOf(status).(exit)
		fmt.Fprintf(&text, "| %d | a run that was waited for is `%s` |\n", int(code), status)
	}
	return text.String()
}
