// Package embedded is the Redis-compatible server inside the process, for installations without a Redis.
//
// It listens on the loopback interface only and answers nobody who does not know its secret. It keeps nothing: what
// it held is restored from registry and ledger, like after any lost Redis.
package embedded

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/alicebob/miniredis/v2"
)

// Server is a running server. Make it with Start; the caller must Close it.
type Server struct {
	redis  *miniredis.Miniredis
	addr   string
	secret string
	close  sync.Once
}

// Start starts a server on a free port with a new random secret.
func Start() (*Server, error) {
	var secret [16]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return nil, fmt.Errorf("make the secret of the embedded server: %w", err)
	}
	s := &Server{redis: miniredis.NewMiniRedis(), secret: hex.EncodeToString(secret[:])}
	s.redis.RequireAuth(s.secret)
	// Without it nothing would ever expire.
	s.redis.ClockTTL(true)
	// Over TCP, because its in-memory connections dead-lock with pipelines.
	if err := s.redis.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start the embedded server: %w", err)
	}
	s.addr = s.redis.Addr()
	return s, nil
}

// Addr is host:port, also after Close.
func (s *Server) Addr() string { return s.addr }

// Secret is the password of the default user: 32 hex digits. It must not be logged.
func (s *Server) Secret() string { return s.secret }

// Close ends the server and its connections. It may be called more than once.
func (s *Server) Close() { s.close.Do(s.redis.Close) }
