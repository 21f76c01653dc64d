package show

import (
	"strings"
)

// Test is what `test` found about one file of an importer.
type Test struct {
	Importer string `json:"importer"`
	// File is the source, Expected where its outcome is kept; of an importer without files where they would be.
	File     string     `json:"file,omitempty"`
	Expected string     `json:"expected,omitempty"`
	Result   TestResult `json:"result"`
	// Difference has a line for everything that was expected (-) or came (+) alone.
	Difference string `json:"difference,omitempty"`
	// Error is why the test could not be made.
	Error string `json:"error,omitempty"`
}

// TestResult is how a test went.
type TestResult string

// The results.
const (
	TestPassed  TestResult = "passed"
	TestDiffers TestResult = "differs"
	// TestNew says that nothing is expected yet.
	TestNew     TestResult = "new"
	TestUpdated TestResult = "updated"
	TestBroken  TestResult = "broken"
	// NoTests says that the importer has no files.
	NoTests TestResult = "none"
)

// Broken is the test with the error that kept it from being made.
func (t Test) Broken(err error) Test {
	t.Result, t.Error = TestBroken, err.Error()
	return t
}

// Failed says whether the test is not as it should be.
func (t Test) Failed() bool {
	return t.Result == TestDiffers || t.Result == TestNew || t.Result == TestBroken
}

// Tests prints what `test` found, differences line by line.
func (p *Page) Tests(all []Test) {
	if len(all) == 0 {
		p.put("No importers.")
	}
	for _, t := range all {
		name, file := clean(t.Importer), clean(p.relative(t.File))
		switch t.Result {
		case TestPassed:
			p.paragraph("", "    ", p.paint(green, "ok")+"  "+name+"  "+p.paint(dim, file))
		case TestUpdated:
			p.paragraph("", "    ", p.paint(yellow, "updated")+"  "+name+"  "+p.paint(dim, clean(p.relative(t.Expected))))
		case NoTests:
			p.paragraph("", "    ", p.paint(dim, "none")+"  "+name+"  "+p.paint(dim, "no test files in "+clean(p.relative(t.Expected))))
		case TestNew:
			p.paragraph("", "    ", p.paint(red, "new")+"  "+name+"  "+file)
			p.indented("Nothing is expected of it yet. `ingest test " + t.Importer + " --update` keeps what came of it:")
			p.difference(t.Difference)
		case TestDiffers:
			p.paragraph("", "    ", p.paint(red, "differs")+"  "+name+"  "+file)
			p.indented("- expected in " + t.Expected + ", + came of the file now:")
			p.difference(t.Difference)
		case TestBroken:
			p.paragraph("", "    ", p.paint(red, "broken")+"  "+name+"  "+file)
			p.indented(t.Error)
		}
	}
}

// difference prints lines that begin with their sign, each in its colour.
func (p *Page) difference(text string) {
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		code := dim
		switch {
		case strings.HasPrefix(line, "-"):
			code = red
		case strings.HasPrefix(line, "+"):
			code = green
		}
		p.paragraph(code, "      ", "  "+clean(line))
	}
}
