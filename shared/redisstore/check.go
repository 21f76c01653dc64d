package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Ping returns an error when Redis does not answer now.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("ask Redis: %w", err)
	}
	return nil
}

// Check asks whether Redis is fit: it answers, is version 7.0 or later, never evicts keys, is a primary, and is a
// cluster exactly if the URL says so. Its error says what is wrong, why it matters and how to mend it; Unavailable is
// true for one that may pass. What the server does not let us ask is logged and taken for right.
func (s *Store) Check(ctx context.Context) error {
	if s.lenient {
		if err := s.client.Ping(ctx).Err(); err != nil {
			return fmt.Errorf("reach the embedded server: %w", err)
		}
		return nil
	}
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		err := cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
			return s.fit(ctx, node)
		})
		if err != nil && strings.Contains(err.Error(), "cluster support disabled") {
			return errors.New("the Redis server is not part of a cluster: use a URL that begins with redis://")
		}
		return err
	}
	return s.fit(ctx, s.client)
}

func (s *Store) fit(ctx context.Context, node redis.Cmdable) error {
	text, err := node.Info(ctx).Result()
	if err != nil && redis.IsPermissionError(err) {
		s.log.Warn("the Redis user may not call INFO: the version of Redis and its role were not checked")
		text, err = s.policy(ctx, node)
	}
	if err != nil {
		return fmt.Errorf("ask Redis for its state: %w", err)
	}
	return fit(parseInfo(text), s.cluster)
}

// policy asks for the eviction policy alone, in the form of INFO.
func (s *Store) policy(ctx context.Context, node redis.Cmdable) (string, error) {
	found, err := node.ConfigGet(ctx, "maxmemory-policy").Result()
	if redis.IsPermissionError(err) {
		s.log.Warn("the Redis user may not call CONFIG GET: make sure that maxmemory-policy is noeviction")
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return "maxmemory_policy:" + found["maxmemory-policy"], nil
}

func parseInfo(text string) map[string]string {
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			info[name] = value
		}
	}
	return info
}

// fit judges what INFO says; what it does not say is taken for right.
func fit(info map[string]string, cluster bool) error {
	if version := info["redis_version"]; version != "" {
		major, _, _ := strings.Cut(version, ".")
		if n, err := strconv.Atoi(major); err == nil && n < 7 {
			return fmt.Errorf("the Redis server is version %s, but 7.0 is the oldest that can be used: its scripts "+
				"must be able to go on when memory is full; upgrade the server", version)
		}
	}
	if role := info["role"]; role != "" && role != "master" {
		return fmt.Errorf("the Redis server is a replica (role %s), which cannot be written to: "+
			"use the address of the primary, or redis+sentinel:// to follow it", role)
	}
	if policy := info["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		return fmt.Errorf("the Redis server may throw away keys of running imports when its memory is full "+
			"(maxmemory-policy is %s): run `redis-cli config set maxmemory-policy noeviction` and set it in "+
			"redis.conf, or use another Redis for imports", policy)
	}
	if !cluster && info["redis_mode"] == "cluster" {
		return errors.New("the Redis server is part of a cluster: use a URL that begins with redis+cluster:// and names its nodes")
	}
	return nil
}
