package api

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzFilename: whatever a client calls its file, what is kept can be shown and is no path.
func FuzzFilename(f *testing.F) {
	for _, name := range []string{
		"users.csv", "../../etc/passwd", `C:\x\y.csv`, "a\x00b.csv", "con", "\ufeff", `"; filename=x`, "a\r\nb", strings.Repeat("é", 4096) + ".csv.gz",
		"..", ".", "/", "", " ", "x." + strings.Repeat("y", 300), "a\u202eb", "\xff\xfe", strings.Repeat(".", 300), ". ", " ..", "a/ ",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := filename(name)
		switch {
		case got == "" || got == "." || got == ".." || len(got) > 255 || !utf8.ValidString(got):
			t.Errorf("%q is kept as %q", name, got)
		case strings.ContainsAny(got, "/\\\x00\r\n\t") || strings.TrimSpace(got) != got:
			t.Errorf("%q is kept as %q", name, got)
		case strings.ContainsFunc(got, func(c rune) bool { return unicode.IsControl(c) || !unicode.IsPrint(c) }):
			t.Errorf("%q is kept as %q", name, got)
		case filename(got) != got:
			t.Errorf("%q is kept as %q, which is kept as %q", name, got, filename(got))
		}
	})
}

// FuzzQuery: a query is read as what it says or refused with a 422, never anything else.
func FuzzQuery(f *testing.F) {
	for _, query := range []string{
		"page=1", "page=-1&rows=0", "dry_run=true", "dry_run=maybe", "page=1&page=2", "x=y", "%zz", "page=99999999999999999999", "page=0x1",
		"page=%31", "page=+1", "page=1;rows=2", "=", "&&", "page", "status=a&status=b", "importer=a&importer=b",
	} {
		f.Add(query)
	}
	has := docList().params
	has = append(has, docUpload().params...)
	f.Fuzz(func(t *testing.T, query string) {
		r := &http.Request{URL: &url.URL{RawQuery: query}}
		if err := misspelt(r, has); err != nil {
			if p, ok := problemOf(err); !ok || p.Status != http.StatusUnprocessableEntity || len(p.Errors) != 1 {
				t.Errorf("%q: %v", query, err)
			}
			return
		}
		q := queryOf(r)
		page, flag := q.number("page", 7, 1), q.flag("dry_run")
		if q.err != nil {
			if p, ok := problemOf(q.err); !ok || p.Status != http.StatusUnprocessableEntity || len(p.Errors) != 1 {
				t.Errorf("%q: %v", query, q.err)
			}
			return
		}
		text := r.URL.Query().Get("page")
		if page < 1 || text == "" && page != 7 || text != "" && strings.Trim(text, "0123456789+") != "" {
			t.Errorf("%q is page %d", query, page)
		}
		if said := r.URL.Query().Get("dry_run"); flag != (said == "true" || said == "1") {
			t.Errorf("%q is a dry run: %t", query, flag)
		}
	})
}

// FuzzIdempotencyKey: a key is taken as it is or refused; different users and different keys never meet.
func FuzzIdempotencyKey(f *testing.F) {
	for _, key := range []string{"7f9c2ba4", "", " ", "a b", "é", strings.Repeat("x", 255), strings.Repeat("x", 256), "a/b", "\x00", "ops/x", `"q"`} {
		f.Add(key, "ops")
	}
	f.Fuzz(func(t *testing.T, key, user string) {
		r := httptest.NewRequestWithContext(withUser(t.Context(), user), "POST", "/", nil)
		r.Header["Idempotency-Key"] = []string{key}
		got, err := onceOf(r, "request")
		fits := len(key) >= 1 && len(key) <= 255 && !strings.ContainsFunc(key, func(c rune) bool { return c < '!' || c > '~' })
		if (err == nil) != fits {
			t.Fatalf("%q: %v", key, err)
		}
		if err != nil {
			if p, ok := problemOf(err); !ok || p.Status != http.StatusUnprocessableEntity {
				t.Errorf("%q: %v", key, err)
			}
			return
		}
		// A token's name holds no slash, so that the first one divides.
		if !strings.Contains(user, "/") {
			if owner, rest, _ := strings.Cut(got.Key, "/"); owner != user || rest != key {
				t.Errorf("%q of %q is %q", key, user, got.Key)
			}
		}
	})
}

// FuzzBody: a JSON body is read as what it says or refused with a problem of the client's.
func FuzzBody(f *testing.F) {
	for _, text := range []string{`{}`, `{"dry_run":true}`, `{"dry_run":1}`, `{"DRY_RUN":true,"dry_run":false}`, `[]`, `null`, `{"x":{}}`, `{} {}`, "\xff", `{"error":"\ud800"}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(text))
		r.Header.Set("Content-Type", "application/json")
		var got retryBody
		err := decode(httptest.NewRecorder(), r, &got)
		if err == nil {
			return
		}
		p, ok := problemOf(err)
		if !ok || p.Status != http.StatusBadRequest && p.Status != http.StatusUnprocessableEntity {
			t.Errorf("%q: %v", text, err)
		}
		if p.Status == http.StatusUnprocessableEntity && len(p.Errors) != 1 {
			t.Errorf("%q: %v", text, p.Errors)
		}
	})
}
