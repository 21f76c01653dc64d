package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"pgregory.net/rapid"

	"ingest/shared/config"
)

func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	for secret, want := range map[config.Secret]string{
		"":                            "",
		"topsecret":                   "***",
		"host=db password=x":          "***",
		"user:topsecret@db":           "***",
		"postgres://app@db/warehouse": "postgres://app@db/warehouse",
		"postgres://app:p@ss:/w?rd@db/x?sslmode=a":        "postgres://***",
		"postgres://db:5432/x?user=a&password=top@secret": "postgres://***",
		"webhook+https://a.b?secret=top@secret":           "webhook+https://***",
		"postgres://app:p@ss:/word@db/x?sslmode=a":        "postgres://app:***@db/x?sslmode=a",
		"postgres://db/x?user=a&password=b":               "postgres://db/x?user=a&password=***",
		"redis://:topsecret@redis:6379/0":                 "redis://:***@redis:6379/0",
		"redis+sentinel://u:p@a:1,b:2/main":               "redis+sentinel://u:***@a:1,b:2/main",
		"sqlite:/var/lib/ingest.db?mode=rw":               "sqlite:/var/lib/ingest.db?mode=rw",
		"csv:/srv/out":                                    "csv:/srv/out",
		"discard:":                                        "discard:",
		"other:topsecret":                                 "***",
		"webhook+https://a.b:1/topsecret?secret=x&c=y":    "webhook+https://a.b:1/***",
		"webhook+http://u:topsecret@a.b?secret=topsecret": "webhook+http://a.b/***",
		"webhook+http://topsecret@a.b":                    "webhook+http://a.b/***",
		"redis+cluster://:topsecret@a:1,b:2?prefix=p":     "redis+cluster://:***@a:1,b:2?prefix=p",
	} {
		if got := secret.String(); got != want {
			t.Errorf("%s is shown as %s, want %s", secret.Reveal(), got, want)
		}
	}
}

func TestNoPrintingShowsAPassword(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[a-zA-Z0-9:/?#@&=%+-]{0,8}`)
	rapid.Check(t, func(t *rapid.T) {
		const needle = "S3CRET"
		password := word.Draw(t, "before") + needle + word.Draw(t, "after")
		url := config.Secret(rapid.SampledFrom([]string{"redis", "postgres", "postgresql", "rediss", "webhook+https"}).Draw(t, "scheme") + "://app:" + password + "@host/x")
		c := config.Config{Redis: config.Redis{URL: url}, Connections: map[string]config.Connection{"default": {URL: url}}}
		inJSON, err1 := json.Marshal(c)
		inYAML, err2 := yaml.Marshal(c)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		core, logs := observer.New(zap.DebugLevel)
		zap.New(core).Info("x", zap.Any("url", url), zap.Reflect("config", c), zap.Stringer("s", url))
		encoded, err := json.Marshal(logs.All()[0].ContextMap())
		if err != nil {
			t.Fatal(err)
		}
		all := strings.Join([]string{
			string(inJSON), string(inYAML), string(encoded), fmt.Sprint(c.Effective()),
			fmt.Sprintf("%v %+v %#v %s %q %x %X %d", c, c, c, url, url, url, url, url),
		}, "\n")
		if strings.Contains(all, needle) || strings.Contains(strings.ToLower(all), fmt.Sprintf("%x", needle)) {
			t.Fatalf("the password is shown:\n%s", all)
		}
	})
}

func TestSizes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := config.Size(rapid.OneOf(rapid.Int64Min(0), rapid.Map(rapid.Int64Range(0, 1<<30), func(n int64) int64 { return n << 10 })).Draw(t, "size"))
		var back config.Size
		if err := back.UnmarshalText([]byte(size.String())); err != nil || back != size {
			t.Fatalf("%d is written %s and read as %d (%v)", size, size, back, err)
		}
	})
	for text, want := range map[string]config.Size{"8MiB": 8 << 20, "64 KiB": 64 << 10, " 1GiB ": 1 << 30, "17": 17, "0": 0} {
		var got config.Size
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q is read as %d (%v), want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1.5MiB", "1MB", "1mib", "9999999999GiB", "1 2"} {
		var got config.Size
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as %d", text, got)
		}
	}
}
