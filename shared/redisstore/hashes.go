package redisstore

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"
)

// keepText is the script that makes a hash which is not there yet.
//
//go:embed scripts/keep.lua
var keepText string

// Hashes writes hashes into a Redis that is a destination: it has nothing of the engine's own. It is safe for concurrent use.
// The caller must Close it.
type Hashes struct{ client redis.UniversalClient }

// Hash is what is to be written under a key.
type Hash struct {
	Key string
	// Set are fields, each with its value behind it; Remove are fields that the hash is to have no more.
	Set, Remove []string
	// Keep leaves a hash as it is that is there already.
	Keep bool
}

// OpenHashes returns hashes by a URL as Options has it. The server need not be reachable; the error says what is wrong with
// the URL, without repeating it.
func OpenHashes(url string) (*Hashes, error) {
	target, err := parse(url)
	if err != nil {
		return nil, err
	}
	redis.SetLogger(silent{})
	return &Hashes{target.client(Options{})}, nil
}

// Close ends the connections.
func (h *Hashes) Close() error {
	if err := h.client.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("close redis: %w", err)
	}
	return nil
}

// Ping returns a *HashFault when the server does not answer now.
func (h *Hashes) Ping(ctx context.Context) error {
	if err := h.client.Ping(ctx).Err(); err != nil {
		return faultOf(err)
	}
	return nil
}

// Write writes the hashes in their order, in as few round trips as the servers need, and says for each whether its key holds
// something else, which stays. Each command touches one key. The error is a *HashFault; some of the hashes may have been
// written then, and writing all of them again has the same result.
func (h *Hashes) Write(ctx context.Context, hashes []Hash) (taken []bool, err error) {
	taken = make([]bool, len(hashes))
	pipe := h.client.Pipeline()
	var of []int // the hash of each command
	for i, hash := range hashes {
		switch {
		case hash.Keep:
			pipe.Eval(ctx, keepText, []string{hash.Key}, hash.Set)
			of = append(of, i)
			continue
		case len(hash.Set) > 0:
			pipe.HSet(ctx, hash.Key, hash.Set)
			of = append(of, i)
		}
		if len(hash.Remove) > 0 {
			pipe.HDel(ctx, hash.Key, hash.Remove...)
			of = append(of, i)
		}
	}
	// Its error is that of one of the commands.
	commands, failed := pipe.Exec(ctx)
	for i, command := range commands {
		switch err := command.Err(); {
		case err == nil:
		case code(err) == "WRONGTYPE":
			taken[of[i]] = true
		default:
			return nil, faultOf(err)
		}
	}
	if len(commands) == 0 && failed != nil {
		return nil, faultOf(failed)
	}
	return taken, nil
}

// HashFault is why Redis did not do what it was asked.
type HashFault struct {
	// Passes says that it may do so later.
	Passes bool
	err    error
}

func faultOf(err error) *HashFault {
	return &HashFault{Passes: Unavailable(err) || errors.Is(err, context.Canceled), err: err}
}

// Error is the code of Redis's answer or what the network said: neither has an address or a value.
func (f *HashFault) Error() string {
	var op *net.OpError
	switch name := code(f.err); {
	case name != "":
		return "Redis answered " + name
	case errors.As(f.err, &op):
		return "Redis cannot be reached: " + op.Err.Error()
	default:
		return "Redis cannot be reached"
	}
}

func (f *HashFault) Unwrap() error { return f.err }

// code is the first word of an error that Redis answered, empty for others.
func code(err error) string {
	var reply redis.Error
	if !errors.As(err, &reply) || errors.Is(err, redis.Nil) {
		return ""
	}
	name, _, _ := strings.Cut(reply.Error(), " ")
	return name
}
