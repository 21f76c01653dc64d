package redisstore

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"ingest/shared/lifecycle"
)

const (
	// heartbeat is how often a process says that it lives.
	heartbeat = 2 * time.Second
	// silence is how long a process may be silent before it is taken for dead.
	silence = 15 * time.Second
)

// Process is what a process says of itself.
type Process struct {
	// ID names one incarnation.
	ID      string `json:"id"`
	Host    string `json:"host"`
	PID     int    `json:"pid"`
	Version string `json:"version"`
	// Role is coordinator, worker or both.
	Role string `json:"role"`
	// Spools are the ids of the spools it sees.
	Spools []string `json:"spools,omitempty"`
	// Connections are the names of the databases it is configured to reach.
	Connections []string `json:"connections,omitempty"`
	// Extensions are the names it has beside those of every program: "transform iban".
	Extensions []string `json:"extensions,omitempty"`
	// Slots say what each slot does.
	Slots []string  `json:"slots,omitempty"`
	At    time.Time `json:"at"`
}

// Heartbeat says that a process lives. Whether it does is judged by the server's clock.
func (s *Store) Heartbeat(ctx context.Context, p Process) error {
	text, err := json.Marshal(p)
	if err == nil {
		_, _, err = s.run(ctx, s.scripts.heartbeat, []string{s.keys.workers()}, p.ID, text)
	}
	if err != nil {
		return fmt.Errorf("announce this process: %w", err)
	}
	return nil
}

// Leave says that a process has ended, so that nobody counts on it any more. It is idempotent.
func (s *Store) Leave(ctx context.Context, id string) error {
	if err := s.client.HDel(ctx, s.keys.workers(), id).Err(); err != nil {
		return fmt.Errorf("take leave of this process: %w", err)
	}
	return nil
}

// Live announces a process, as described at that moment, until ctx ends, and then takes leave of it. That Redis cannot
// be reached is logged and waited out; it returns nil.
func (s *Store) Live(ctx context.Context, describe func() Process) error {
	id := describe().ID
	defer func() {
		if err := s.Leave(context.WithoutCancel(ctx), id); err != nil {
			s.log.Debug("the end was not announced", zap.Error(err))
		}
	}()
	return lifecycle.Loop(ctx, heartbeat, nil, func(ctx context.Context) error {
		if err := s.Heartbeat(ctx, describe()); err != nil && ctx.Err() == nil {
			s.log.Warn("the heartbeat was not heard", zap.Error(err))
		}
		return nil
	})
}

// Host is this machine's name, for people.
func Host() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}

// Processes returns the processes heard of in the last 15 seconds, by role and id, and forgets the others.
func (s *Store) Processes(ctx context.Context) ([]Process, error) {
	var now *redis.TimeCmd
	var all *redis.MapStringStringCmd
	_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		now, all = p.Time(ctx), p.HGetAll(ctx, s.keys.workers())
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	alive := []Process{}
	var dead []string
	for id, text := range all.Val() {
		at, said, _ := strings.Cut(text, " ")
		heard, err := strconv.ParseInt(at, 10, 64)
		var p Process
		if err != nil || now.Val().Sub(time.UnixMilli(heard)) > silence || json.Unmarshal([]byte(said), &p) != nil {
			dead = append(dead, id)
			continue
		}
		alive = append(alive, p)
	}
	if len(dead) > 0 {
		if err := s.client.HDel(ctx, s.keys.workers(), dead...).Err(); err != nil {
			return nil, fmt.Errorf("forget dead processes: %w", err)
		}
	}
	slices.SortFunc(alive, func(a, b Process) int {
		return strings.Compare(a.Role+" "+a.ID, b.Role+" "+b.ID)
	})
	return alive, nil
}
