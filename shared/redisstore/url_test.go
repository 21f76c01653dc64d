package redisstore

import (
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]struct {
		addrs              []string
		user, secret, main string
		db                 int
		tls, cluster       bool
	}{
		"redis://localhost:6379/3":        {addrs: []string{"localhost:6379"}, db: 3},
		"redis://h":                       {addrs: []string{"h:6379"}},
		"rediss://u:p%2F@h:1":             {addrs: []string{"h:1"}, user: "u", secret: "p/", tls: true},
		"unix:///run/redis.sock":          {addrs: []string{"/run/redis.sock"}},
		"redis+cluster://a:1,b,[::1]:3":   {addrs: []string{"a:1", "b:6379", "[::1]:3"}, cluster: true},
		"rediss+cluster://u:a%40b@h:1/":   {addrs: []string{"h:1"}, user: "u", secret: "a@b", tls: true, cluster: true},
		"redis+sentinel://a,b:2/main/4":   {addrs: []string{"a:26379", "b:2"}, main: "main", db: 4},
		"rediss+sentinel://:s@a,b:2/main": {addrs: []string{"a:26379", "b:2"}, secret: "s", main: "main", tls: true},
	} {
		got, err := parse(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		o := got.options
		if !slices.Equal(o.Addrs, want.addrs) || o.Username != want.user || o.Password != want.secret || o.DB != want.db ||
			o.MasterName != want.main || (o.TLSConfig != nil) != want.tls || o.IsClusterMode != want.cluster {
			t.Errorf("%s: %+v", url, o)
		}
	}
	for _, url := range []string{
		"", "localhost", "http://:geheim@h", "redis://:ge/heim@h", "redis://h/x", "redis+cluster://", "redis+cluster://h/1",
		"redis+sentinel://h", "redis+sentinel://h/main/x", "redis+sentinel://:geheim@h:x/main", "redis+cluster://:ge%heim@h",
		"redis+cluster://h?geheim=1", "redis+cluster://h,,b",
	} {
		if _, err := Open(t.Context(), Options{URL: url, Namespace: "x"}); err == nil || strings.Contains(err.Error(), "heim") {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, namespace := range []string{"", "a{b}", "a b", "*", ":a", "é"} {
		if _, err := Open(t.Context(), Options{URL: "redis://h", Namespace: namespace}); err == nil {
			t.Errorf("namespace %q is accepted", namespace)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("redis+cluster://u:p@a:1,b/0")
	f.Add("redis+sentinel://a/m/1")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parse(text)
		if err == nil && (len(got.options.Addrs) == 0 || slices.Contains(got.options.Addrs, "")) {
			t.Errorf("%q: %+v", text, got.options.Addrs)
		}
	})
}
