// Package redisstore is the one door to Redis: keys, scripts, wake-ups and start-up checks.
//
// Redis is transport and cache here, never the truth. Every change of a run is one script that first checks that the
// run is there with the caller's uid; otherwise it answers Gone and writes nothing. Every call may be repeated: the
// client does so itself when a reply was lost.
package redisstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
)

// Options say where Redis is and how to talk to it.
type Options struct {
	// URL is redis://, rediss://, unix://, redis+sentinel://host,host/master[/db] or redis+cluster://host,host; the
	// last two also with rediss+. It is ignored when Dial is set.
	URL string
	// Namespace is the prefix of every key: letters, digits, '.', ':', '_', '-'.
	Namespace string
	// Dial connects to the server; nil = by URL.
	Dial func(ctx context.Context) (net.Conn, error)
	// Password is asked at every connect; nil = by URL.
	Password func() string
	// Log hears of checks that could not be made; nil = nobody does.
	Log *zap.Logger
	// Lenient is for the embedded server: Check only asks whether it answers.
	Lenient bool
}

// Store is the door to one Redis. It is safe for concurrent use. The caller must Close it.
type Store struct {
	client  redis.UniversalClient
	scripts scripts
	keys    keys
	log     *zap.Logger
	lenient bool
	cluster bool
}

// silent is the logger of the client library: it would write addresses to stderr, and what it says comes as errors.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// Open returns a Store. The server need not be reachable; the error says what is wrong with the options.
func Open(_ context.Context, o Options) (*Store, error) {
	if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]*$`).MatchString(o.Namespace) {
		return nil, errors.New("open redis: the namespace must be letters, digits and . : _ - only")
	}
	target := &target{options: redis.UniversalOptions{Addrs: []string{"embedded"}}}
	if o.Dial == nil {
		var err error
		if target, err = parse(o.URL); err != nil {
			return nil, fmt.Errorf("open redis: %w", err)
		}
	}
	redis.SetLogger(silent{})
	s := &Store{
		client: target.client(o), scripts: newScripts(o.Lenient), keys: keys(o.Namespace), log: o.Log,
		lenient: o.Lenient, cluster: target.options.IsClusterMode,
	}
	if s.log == nil {
		s.log = zap.NewNop()
	}
	return s, nil
}

// Close ends the connections. Listeners must have been closed before.
func (s *Store) Close() error {
	if err := s.client.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("close redis: %w", err)
	}
	return nil
}
