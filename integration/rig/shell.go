package rig

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// shellLimit is how long a script may take.
const shellLimit = 30 * time.Second

// Shell runs a script in bash, zsh or fish, without the settings of whoever runs the tests; `ingest` is the binary
// under test.
func (s *System) Shell(shell, script string) Result {
	s.t.Helper()
	bin, home := s.t.TempDir(), s.t.TempDir()
	if err := os.Symlink(s.binary, filepath.Join(bin, "ingest")); err != nil {
		s.t.Fatalf("name the binary: %v", err)
	}
	clean := map[string][]string{"bash": {"--norc", "--noprofile"}, "zsh": {"-f"}, "fish": {"--no-config"}}[shell]
	ctx, cancel := context.WithTimeout(s.t.Context(), shellLimit)
	defer cancel()
	command := exec.CommandContext(ctx, find(s.t, shell, shell), append(clean, "-c", script)...)
	command.Dir = s.Dir
	command.Env = append(s.env[:len(s.env):len(s.env)],
		"PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_DATA_HOME="+home)
	command.SysProcAttr = &syscall.SysProcAttr{}
	dieWithUs(command.SysProcAttr, syscall.SIGKILL)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := command.Run(); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		s.t.Fatalf("%s: %v (%v)\n%s", shell, err, ctx.Err(), stderr.String())
	}
	return Result{Stdout: strings.TrimSpace(stdout.String()), Stderr: stderr.String(), Code: command.ProcessState.ExitCode()}
}
