package redisstore

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Unavailable says whether the error means that Redis cannot be used now, or not for writing: not reachable, too slow,
// starting, failing over, out of memory or of disk. The caller waits and repeats the call; it may have taken effect.
func Unavailable(err error) bool {
	if err == nil || errors.Is(err, redis.ErrClosed) || errors.Is(err, context.Canceled) {
		return false
	}
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, redis.ErrPoolTimeout) || errors.Is(err, redis.ErrPoolExhausted) {
		return true
	}
	text := ""
	var reply redis.Error
	if errors.As(err, &reply) {
		text = strings.TrimPrefix(reply.Error(), "ERR ")
	}
	for _, prefix := range []string{
		"LOADING", "MISCONF", "CLUSTERDOWN", "READONLY", "TRYAGAIN", "MASTERDOWN", "NOREPLICAS", "OOM", "BUSY ",
		"MOVED", "ASK", "UNBLOCKED", "max number of clients reached",
	} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	// The client has no values for these.
	return strings.Contains(err.Error(), "redis: all sentinels specified in configuration are unreachable") ||
		strings.Contains(err.Error(), "redis: cluster has no nodes")
}
