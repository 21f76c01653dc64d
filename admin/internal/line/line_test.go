package line

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// grammar has one of everything that can be completed.
type grammar struct {
	Config string   `placeholder:"FILE" help:"Where settings come from."`
	Output string   `enum:"table,json,yaml" default:"table"`
	Quiet  bool     `help:"Say nothing."`
	Dirs   []string `placeholder:"DIR" group:"Configuration"`
	Level  string   `name:"log-level" group:"Configuration"`
	Secret string   `hidden:""`

	Run struct {
		Importer string `arg:""`
		File     string `placeholder:"FILE"`
	} `cmd:"" help:"Start."`
	Runs struct {
		Status   string `placeholder:"STATUS"`
		Importer string `placeholder:"SLUG"`
		Limit    int
		Share    float64
	} `cmd:"" help:"List."`
	Show struct {
		ID int64  `arg:""`
		To string `short:"o" placeholder:"FILE"`
		V  bool   `short:"v"`
	} `cmd:"" help:"Show."`
	Check struct {
		Importers []string `arg:"" optional:"" name:"importer"`
	} `cmd:""`
	Token struct {
		Role string `enum:"viewer,admin" required:""`
	} `cmd:""`
	Inner struct{} `cmd:"" hidden:""`
	Make  struct {
		Part struct {
			From string `required:""`
		} `cmd:""`
	} `cmd:"" hidden:""`
}

func model(t *testing.T) *kong.Application {
	t.Helper()
	parser, err := kong.New(&grammar{}, kong.Name("ingest"))
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model
}

// looked answers with the noun and the settings it was asked with.
func looked(noun Noun, settings []string) []Candidate {
	return []Candidate{{Value: string(noun) + "1", Help: strings.Join(settings, " ")}, {Value: "other"}}
}

func TestComplete(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"":                                     "run\tStart.\nruns\tList.\nshow\tShow.\ncheck\ntoken\n",
		"ru":                                   "run\tStart.\nruns\tList.\n",
		"run ":                                 "importer1\nother\n",
		"run imp":                              "importer1\n",
		"run x ":                               "",
		"run x --fi":                           "--file\n",
		"run --file ":                          ":file\n",
		"run --file=a":                         ":file\n",
		"run --file a ":                        "importer1\nother\n",
		"run -- ":                              "importer1\nother\n",
		"run -- --fi":                          "",
		"check a b ":                           "importer1\nother\n",
		"runs --status ":                       "status1\nother\n",
		"runs --status=s":                      "--status=status1\n",
		"runs --importer ":                     "importer1\nother\n",
		"runs --limit ":                        "",
		"runs --s":                             "--status\n--share\n",
		"runs --status x --s":                  "--share\n",
		"runs --output ":                       "table\njson\nyaml\n",
		"runs --output=":                       "--output=table\n--output=json\n--output=yaml\n",
		"show --":                              "--to\n--v\n--help\tShow context-sensitive help.\n--config\tWhere settings come from.\n--output\n--quiet\tSay nothing.\n--dirs\n--log-level\n",
		"--output j":                           "json\n",
		"--quiet ru":                           "run\tStart.\nruns\tList.\n",
		"--config a.yaml run imp":              "importer1\t--config=a.yaml\n",
		"show --log-level=debug --output x im": "",
		"show --log-level=debug run":           "run1\t--log-level=debug\n",
		"--dirs ":                              ":directory\n",
		"--log-level ":                         "log-level1\nother\n",
		"show -o ":                             ":file\n",
		"show -vo ":                            ":file\n",
		"show -ofile ":                         "run1\nother\n",
		"--se":                                 "",
		"nothing ":                             "",
		"run --nothing ":                       "",
		"run --nothing=":                       "",
		"inner ":                               "",
		"runs --limit x --sta":                 "--status\n",
	} {
		got := Complete(model(t), strings.Split(line, " "), looked).Text()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", line, diff)
		}
	}
	if got := Complete(model(t), nil, looked).Text(); got != "" {
		t.Errorf("without a word: %q", got)
	}
}

func TestMistake(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"shwo 1":                    `unknown command "shwo", did you mean "show"?`,
		"elephant":                  `unknown command "elephant"`,
		"inne":                      `unknown command "inne"`,
		"run x --fiel y":            `unknown flag "--fiel", did you mean "--file"?`,
		"run x --fiel=y":            `unknown flag "--fiel", did you mean "--file"?`,
		"runs -status x":            `unknown flag "-status", did you mean "--status"?`,
		"runs -z":                   `unknown flag "-z"`,
		"runs --output jsn":         `--output is one of table, json, yaml, not "jsn", did you mean "json"?`,
		"runs --output elephant":    `--output is one of table, json, yaml, not "elephant"`,
		"runs --output":             "--output needs a value",
		"runs --limit=x":            `--limit is a whole number, not "x"`,
		"runs --share=x":            `--share is a number, not "x"`,
		"runs --quiet=maybe":        `--quiet is true or false, not "maybe"`,
		"show x":                    `<id> is a whole number, not "x"`,
		"show 1 2":                  `unexpected argument "2"`,
		"show":                      "show needs <id>",
		"token":                     "token needs --role",
		"make part":                 "make part needs --from",
		"token --role viewr":        `--role is one of viewer, admin, not "viewr", did you mean "viewer"?`,
		"--quiet":                   "which command? `ingest --help` lists them",
		"check":                     "",
		"check a b":                 "",
		"run x --quiet --dirs=a,b":  "",
		"runs --limit 0x10 --quiet": "",
		"show -vo x 1":              "",
	} {
		if got := Mistake(model(t), strings.Fields(line)); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestTextHasOneLinePerCandidate(t *testing.T) {
	t.Parallel()
	c := Completion{Candidates: []Candidate{{"a\nb", "c\td\x1b[31m\u009b"}}}
	if got, want := c.Text(), "a b\tc d [31m \n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestEveryShellHasAScriptThatSaysHowToUseIt(t *testing.T) {
	t.Parallel()
	for _, shell := range Shells() {
		script, err := Script(shell)
		if err != nil || !strings.Contains(script, "ingest completion "+shell) || !strings.Contains(script, "__complete") {
			t.Errorf("%s: %v\n%s", shell, err, script)
		}
	}
	if _, err := Script("tcsh"); err == nil {
		t.Error("tcsh has a script")
	}
}
