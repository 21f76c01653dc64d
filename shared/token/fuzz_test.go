package token_test

import (
	"testing"
	"time"

	"ingest/shared/token"
)

// FuzzParse: a tokens file is refused whole, or every token in it can be what it says and nobody else gets in.
func FuzzParse(f *testing.F) {
	_, line := token.New("ops", token.Operator, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
	for _, text := range []string{
		line, line + "\n" + line, "", "[]", "- {}", "- {name: x, role: king, sha256: 1}", "{}", "- x", "- &a {name: a}\n- *a", "- [", "\xff", "- {name: x, name: y}",
		"- {name: ops, role: admin, sha256: " + "00" + "}", "---\n" + line + "\n---\n" + line,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		tokens, err := token.Parse("tokens.yaml", text)
		if err != nil {
			if len(tokens) > 0 {
				t.Errorf("a refused file lets in %v", tokens)
			}
			return
		}
		for _, one := range tokens {
			if !one.Role.Valid() || token.CheckName(one.Name) != nil || one.Sum == [32]byte{} && len(text) < 64 {
				t.Errorf("%q gives %+v", text, one)
			}
		}
		for _, secret := range []string{"", " ", "ingest_", string(text)} {
			if _, ok := tokens.Find(secret, noon); ok {
				t.Errorf("%q lets %q in", text, secret)
			}
		}
	})
}
