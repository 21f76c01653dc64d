package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"ingest/shared/lifecycle"
	"ingest/shared/redisstore/embedded"
)

const (
	lockName    = "serve.lock"
	addressName = "serve.json"
	// upName is held, together, by every process that executes runs until it is told to stop.
	upName = "up.lock"

	shared    = syscall.LOCK_SH
	exclusive = syscall.LOCK_EX

	// takeOver is how often a process that joined looks whether the serving one has ended.
	takeOver = 200 * time.Millisecond
)

// member is a process's part in the embedded server of a data directory. Whoever holds the file lock serves and
// writes the address file; the others join that server, and one of them takes over when it ends: the kernel gives the
// lock back however a process dies, so the lock decides and the address file only tells where.
type member struct {
	dir string

	mu     sync.Mutex
	lock   *os.File
	server *embedded.Server
	up     *os.File
}

// address is what the serving process tells those that join it.
type address struct {
	Addr   string `json:"addr"`
	Secret string `json:"secret"`
}

// newMember returns a member that has not joined yet.
func newMember(dir string) *member { return &member{dir: dir} }

// join makes the process a member: it serves if nobody does, else it waits until the one that does can be reached or
// has ended. The directory must be there. The caller must Close.
func (m *member) join(ctx context.Context) error {
	connect := dialer(m.dir)
	for {
		if err := m.serve(); err != nil {
			return err
		}
		conn, err := connect(ctx)
		if err == nil {
			return conn.Close()
		}
		if lifecycle.Wait(ctx, takeOver/4, nil) != nil {
			return fmt.Errorf("join the process that serves %s: %w", m.dir, err)
		}
	}
}

// Run takes the service over when the serving process ends, until ctx ends.
func (m *member) Run(ctx context.Context) error {
	return lifecycle.Loop(ctx, takeOver, nil, func(context.Context) error { return m.serve() })
}

// announce says that this process executes runs until it is told to stop, so that others may detach.
func (m *member) announce() error {
	file, err := os.OpenFile(filepath.Join(m.dir, upName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open the lock file: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.up = file
	return flock(file, shared)
}

// Serves says whether this process holds the lock.
func (m *member) Serves() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.server != nil
}

// Close ends the service, if this process holds it, so that another one can take over. It is idempotent.
func (m *member) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all error
	if m.server != nil {
		// First the address, then the lock: the file of the next holder must stay.
		if err := os.Remove(filepath.Join(m.dir, addressName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = fmt.Errorf("remove the address file: %w", err)
		}
		m.server.Close()
		m.server = nil
	}
	for _, file := range []*os.File{m.lock, m.up} {
		if file != nil {
			all = errors.Join(all, file.Close())
		}
	}
	m.lock, m.up = nil, nil
	return all
}

func (m *member) serve() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.server != nil {
		return nil
	}
	file, err := os.OpenFile(filepath.Join(m.dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open the lock file: %w", err)
	}
	if err := flock(file, exclusive|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = nil
		}
		return errors.Join(err, file.Close())
	}
	m.lock = file
	server, err := embedded.Start()
	if err != nil {
		return fmt.Errorf("start the embedded server: %w", err)
	}
	m.server = server
	return writeAddress(m.dir, address{Addr: server.Addr(), Secret: server.Secret()})
}

func writeAddress(dir string, a address) error {
	text, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode the address: %w", err)
	}
	file, err := os.CreateTemp(dir, addressName+".*")
	if err != nil {
		return fmt.Errorf("write the address file: %w", err)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), filepath.Join(dir, addressName))
	}
	if err != nil {
		return fmt.Errorf("write the address file: %w", errors.Join(err, os.Remove(file.Name())))
	}
	return nil
}

func readAddress(dir string) (address, error) {
	var a address
	text, err := os.ReadFile(filepath.Join(dir, addressName))
	if err != nil {
		return a, fmt.Errorf("read the address file: %w", err)
	}
	if err := json.Unmarshal(text, &a); err != nil {
		return a, fmt.Errorf("read the address file: %w", err)
	}
	return a, nil
}

// dialer connects to whoever serves at that moment. That nobody does is told as a refused connection, which callers
// wait out like any other.
func dialer(dir string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		a, err := readAddress(dir)
		if err != nil {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.Join(syscall.ECONNREFUSED, err)}
		}
		var d net.Dialer
		return d.DialContext(ctx, "tcp", a.Addr)
	}
}

func secret(dir string) func() string {
	return func() string {
		a, err := readAddress(dir)
		if err != nil {
			return ""
		}
		return a.Secret
	}
}

// served says whether a process serves the data directory. It creates nothing.
func served(dir string) bool { return held(filepath.Join(dir, lockName), shared) }

// announced says whether an `ingest up` executes the runs of the data directory. It creates nothing.
func announced(dir string) bool { return held(filepath.Join(dir, upName), exclusive) }

func held(path string, how int) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	return errors.Is(flock(file, how|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}

// flock retries what a signal interrupts.
func flock(file *os.File, how int) error {
	for {
		err := syscall.Flock(int(file.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			if err != nil {
				return fmt.Errorf("lock %s: %w", file.Name(), err)
			}
			return nil
		}
	}
}
