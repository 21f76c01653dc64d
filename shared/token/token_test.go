package token_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ingest/shared/token"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// issue returns a secret and the one-line file that lets its holder in.
func issue(name string, role token.Role, expires time.Time) (secret, file string) {
	secret, line := token.New(name, role, expires)
	return secret, line + "\n"
}

func TestATokenLetsItsHolderIn(t *testing.T) {
	t.Parallel()
	secret, file := issue("ops", token.Operator, time.Time{})
	other, more := issue("ops", token.Viewer, time.Time{})
	tokens, err := token.Parse("tokens.yaml", []byte(file+more))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(file, secret) {
		t.Error("the file holds the secret")
	}
	if found, ok := tokens.Find(secret, noon); !ok || found.Name != "ops" || found.Role != token.Operator {
		t.Errorf("found %v %v", found, ok)
	}
	if found, ok := tokens.Find(other, noon); !ok || found.Role != token.Viewer {
		t.Errorf("the second token of a name: %v %v", found, ok)
	}
	for _, wrong := range []string{"", secret[:len(secret)-1], secret + "x", strings.ToUpper(secret)} {
		if _, ok := tokens.Find(wrong, noon); ok {
			t.Errorf("%q was let in", wrong)
		}
	}
}

func TestATokenExpiresAtTheBeginningOfItsDay(t *testing.T) {
	t.Parallel()
	day := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	secret, file := issue("ops", token.Admin, day)
	tokens, err := token.Parse("tokens.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := tokens.Find(secret, day.Add(-time.Second)); !ok {
		t.Error("refused a second before its day")
	}
	if _, ok := tokens.Find(secret, day); ok {
		t.Error("let in on its day")
	}
}

func TestRolesAllowWhatLesserOnesDo(t *testing.T) {
	t.Parallel()
	roles := token.Roles()
	for i, has := range roles {
		for j, needed := range roles {
			if has.Allows(needed) != (i >= j) {
				t.Errorf("%s allows %s: %v", has, needed, has.Allows(needed))
			}
		}
		if has.Allows("") || token.Role("root").Allows(has) {
			t.Errorf("an unknown role counts beside %s", has)
		}
	}
}

func TestParseReportsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	_, err := token.Parse("t.yaml", []byte(`- {name: "o ps", role: operater, sha256: 12}
- {role: viewer, expires: soon, colour: red}
`))
	want := []string{
		"t.yaml:1:10: a token's name is", `t.yaml:1:24: `, "did you mean", "t.yaml:1:42: sha256 must be 64 hexadecimal digits",
		`unknown key "colour"`, `a day is like 2027-01-01, not "soon"`,
	}
	for _, text := range want {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%q is missing in\n%v", text, err)
		}
	}
	if _, err := token.Parse("t.yaml", []byte("name: ops\n")); err == nil || !strings.Contains(err.Error(), "must be a list") {
		t.Errorf("a table was accepted: %v", err)
	}
	if tokens, err := token.Parse("t.yaml", []byte("# nobody\n")); err != nil || len(tokens) != 0 {
		t.Errorf("an empty file: %v %v", tokens, err)
	}
}

func TestTheFileIsReadAgainWhenItChanges(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tokens.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := token.Open(path); err == nil {
		t.Error("a missing file was opened")
	}
	first, line := issue("first", token.Viewer, time.Time{})
	write(line)
	file, err := token.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	second, line := issue("again", token.Viewer, time.Time{})
	write(line)
	tokens, err := file.Tokens()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := tokens.Find(first, noon); ok {
		t.Error("the old token still works")
	}
	if _, ok := tokens.Find(second, noon); !ok {
		t.Error("the new token does not work")
	}
	write("- {name: x}\n")
	if tokens, err := file.Tokens(); err == nil || len(tokens) > 0 {
		t.Errorf("a broken file lets in %v", tokens)
	}
	write(line)
	if _, err := file.Tokens(); err != nil {
		t.Errorf("the mended file: %v", err)
	}
}
