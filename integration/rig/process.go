package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ingest/shared/lifecycle"
)

// patience is how long a process may take to end after it was asked, before it is killed.
const patience = 15 * time.Second

// Process is a child process of the test. It is ended with the test; its output is shown when the test failed.
// All methods are safe for concurrent use.
type Process struct {
	t      testing.TB
	name   string
	cmd    *exec.Cmd
	output buffer
	tasks  *lifecycle.Tasks
	ended  chan struct{}
}

type launch struct {
	name string
	path string
	args []string
	dir  string
	env  []string
	// terminal is what the child reads from and writes to, nil = nothing is read and the output is kept.
	terminal *os.File
	// user is whom the child runs as, nil = the test's own user.
	user *syscall.Credential
	// orphaned is what the kernel sends when the test process dies.
	orphaned syscall.Signal
	// ending is how the test asks the child to end.
	ending syscall.Signal
}

func start(t testing.TB, l launch) *Process {
	t.Helper()
	// The child must outlive the test's context, which ends before cleanups run: a cleanup decides how it ends.
	ctx := context.WithoutCancel(t.Context())
	p := &Process{t: t, name: l.name, ended: make(chan struct{}), tasks: lifecycle.NewTasks(ctx)}
	p.cmd = exec.CommandContext(ctx, l.path, l.args...)
	p.cmd.Dir, p.cmd.Env = l.dir, l.env
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if l.terminal != nil {
		p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = l.terminal, l.terminal, l.terminal
	}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: l.user}
	dieWithUs(p.cmd.SysProcAttr, l.orphaned)
	// A server's own children may hold the output open a little longer than it lives.
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", l.name, err)
	}
	p.tasks.Go("wait for "+l.name, func(context.Context) error {
		defer close(p.ended)
		var exit *exec.ExitError
		if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
			return err
		}
		return nil
	})
	t.Cleanup(func() { p.cleanup(l.ending) })
	return p
}

func (p *Process) cleanup(ending syscall.Signal) {
	p.signal(ending)
	p.signal(syscall.SIGCONT)
	if !p.within(patience) {
		p.t.Errorf("%s did not end within %s of %s and was killed", p.name, patience, ending)
		p.signal(syscall.SIGKILL)
	}
	if err := p.tasks.Wait(); err != nil {
		p.t.Errorf("%s: %v", p.name, err)
	}
	if p.t.Failed() {
		p.t.Logf("output of %s (pid %d):\n%s", p.name, p.PID(), tail(p.Output(), 200))
	}
}

// within says whether the process ends in time; it does not depend on the test's context.
func (p *Process) within(limit time.Duration) bool {
	return holds(context.WithoutCancel(p.t.Context()), limit, p.Ended)
}

// PID is the process id, also after the process has ended.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Output is everything the process has written so far.
func (p *Process) Output() string { return p.output.String() }

// Ended says whether the process has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Signal sends a signal. A process that has ended gets none.
func (p *Process) Signal(signal os.Signal) { p.signal(signal) }

func (p *Process) signal(signal os.Signal) {
	if p.Ended() {
		return
	}
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("send %s to %s: %v", signal, p.name, err)
	}
}

// Kill9 kills the process and returns when it is gone.
func (p *Process) Kill9() {
	p.t.Helper()
	p.signal(syscall.SIGKILL)
	p.Wait(patience)
}

// Stop freezes the process (SIGSTOP): it keeps its connections and does nothing until Cont.
func (p *Process) Stop() { p.signal(syscall.SIGSTOP) }

// Cont lets a frozen process go on.
func (p *Process) Cont() { p.signal(syscall.SIGCONT) }

// Term asks the process to end and returns its exit code.
func (p *Process) Term() int {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	return p.Wait(patience)
}

// Wait blocks until the process has ended and returns its exit code, -1 when a signal ended it. It fails the test when
// that takes longer than limit.
func (p *Process) Wait(limit time.Duration) int {
	p.t.Helper()
	if !p.within(limit) {
		p.t.Fatalf("%s did not end within %s", p.name, limit)
	}
	return p.cmd.ProcessState.ExitCode()
}

// AwaitOutput blocks until the process has written text.
func (p *Process) AwaitOutput(text string, limit time.Duration) {
	p.t.Helper()
	Until(p.t, limit, p.name+" writing "+text, func() bool { return strings.Contains(p.Output(), text) })
}

// listening is how a process says where its internal listener is.
var listening = regexp.MustCompile(`internal listener\s+\{"address": "([^"]+)"`)

// Monitor blocks until the process has said where its internal listener is (INGEST_INTERNAL_LISTEN), and returns the
// address.
func (p *Process) Monitor() string {
	p.t.Helper()
	var found []string
	Until(p.t, startLimit, p.name+" listening for monitors", func() bool {
		found = listening.FindStringSubmatch(p.Output())
		return found != nil
	})
	return found[1]
}

// buffer is an output that may be read while it is written.
type buffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(all) <= lines {
		return strings.Join(all, "\n")
	}
	return "…\n" + strings.Join(all[len(all)-lines:], "\n")
}

// find returns the path of a program and fails the test with the Debian package to install when there is none.
func find(t testing.TB, program, debian string, patterns ...string) string {
	t.Helper()
	path, err := locate(program, patterns...)
	if err != nil {
		t.Fatalf("%v: apt-get install %s", err, debian)
	}
	return path
}

// locate looks in PATH, then for the newest match of each pattern.
func locate(program string, patterns ...string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	for _, pattern := range patterns {
		if path := newest(pattern); path != "" {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed", program)
}
