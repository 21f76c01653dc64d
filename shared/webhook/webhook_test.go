package webhook_test

import (
	"strings"
	"testing"
	"time"

	"ingest/shared/webhook"
)

// TestSign: the signature is what `printf '1700000000.{}' | openssl dgst -sha256 -hmac secret` prints.
func TestSign(t *testing.T) {
	t.Parallel()
	timestamp, signature := webhook.Sign("secret", time.Unix(1_700_000_000, 0), []byte("{}"))
	if timestamp != "1700000000" || signature != "sha256=b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163" {
		t.Errorf("%s, %s", timestamp, signature)
	}
}

func TestAddressesThatAreWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://host/path":                       "needs a secret",
		"https://host/?secret=":                   "needs a secret",
		"ftp://host/?secret=hidden":               "needs an address like",
		"https:///path?secret=hidden":             "needs an address like",
		"https://ho st/?secret=hidden":            "needs an address like",
		"https://host/?secret=hidden&x=%zz":       "a query that cannot be read",
		"https://host/?secret=hidden&timeout=10":  "needs a timeout",
		"https://host/?secret=hidden&timeout=90h": "needs a timeout",
		"https://host/?secret=hidden#part":        "needs an address like",
	} {
		_, err := webhook.Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := webhook.Parse("http://u:p@host:1/a?b=c&secret=x%26y&timeout=1s"); err != nil {
		t.Error(err)
	}
}
