package redisstore

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// errURL repeats nothing of the URL: it may hold a password.
var errURL = errors.New("the Redis URL is not valid: expected redis://[user:password@]host:port[/db], rediss://…, " +
	"redis+sentinel://host:port,host:port/master[/db] or redis+cluster://host:port,host:port " +
	"(special characters in a password must be percent-encoded)")

// target is where the URL points.
type target struct {
	options redis.UniversalOptions
	network string
}

// parse reads the URL. Lists of hosts are taken apart here, because net/url refuses them.
func parse(text string) (*target, error) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return nil, errURL
	}
	switch scheme {
	case "redis", "rediss", "unix":
		return parseSingle(text)
	case "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster":
		return parseMany(scheme, rest)
	default:
		return nil, errURL
	}
}

func parseSingle(text string) (*target, error) {
	o, err := redis.ParseURL(text)
	if err != nil {
		return nil, errURL
	}
	return &target{network: o.Network, options: redis.UniversalOptions{
		Addrs: []string{o.Addr}, DB: o.DB, Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig,
	}}, nil
}

func parseMany(scheme, rest string) (*target, error) {
	if strings.ContainsAny(rest, "?#") {
		return nil, errURL
	}
	authority, path, _ := strings.Cut(rest, "/")
	t := &target{}
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		u, err := url.Parse("redis://" + authority[:at] + "@host")
		if err != nil || u.User == nil {
			return nil, errURL
		}
		t.options.Username = u.User.Username()
		t.options.Password, _ = u.User.Password()
		authority = authority[at+1:]
	}
	sentinel := strings.HasSuffix(scheme, "+sentinel")
	usual := "6379"
	if sentinel {
		usual = "26379"
	}
	for _, host := range strings.Split(authority, ",") {
		u, err := url.Parse("redis://" + host)
		if err != nil || u.Hostname() == "" || u.User != nil {
			return nil, errURL
		}
		t.options.Addrs = append(t.options.Addrs, net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), usual)))
	}
	if strings.HasPrefix(scheme, "rediss") {
		t.options.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if !sentinel {
		t.options.IsClusterMode = true
		if path != "" && path != "0" {
			return nil, fmt.Errorf("a Redis Cluster has no databases: %w", errURL)
		}
		return t, nil
	}
	master, db, _ := strings.Cut(path, "/")
	if master == "" {
		return nil, fmt.Errorf("the name of the sentinels' master is missing: %w", errURL)
	}
	t.options.MasterName = master
	if db != "" {
		n, err := strconv.Atoi(db)
		if err != nil || n < 0 {
			return nil, errURL
		}
		t.options.DB = n
	}
	return t, nil
}

// client makes the client. Its retries are welcome: every script is idempotent.
func (t *target) client(o Options) redis.UniversalClient {
	u := t.options
	u.Protocol = 2
	u.ContextTimeoutEnabled = true
	u.DisableIdentity = true
	u.DialTimeout = 2 * time.Second
	u.DialerRetries = 1
	u.PipelinePoolSize = -1
	if o.Dial != nil {
		u.Dialer = func(ctx context.Context, _, _ string) (net.Conn, error) { return o.Dial(ctx) }
	} else if t.network == "unix" {
		path := u.Addrs[0]
		u.Dialer = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: u.DialTimeout}).DialContext(ctx, "unix", path)
		}
	}
	if o.Password != nil {
		user := u.Username
		u.CredentialsProvider = func() (string, string) { return user, o.Password() }
	}
	return redis.NewUniversalClient(&u)
}
