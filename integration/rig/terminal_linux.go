package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"ingest/shared/lifecycle"
)

// Terminal runs a command on a pseudo terminal. What a person would see is on its screen.
type Terminal struct {
	*Process
	Screen *Screen

	master *os.File
}

// Terminal starts a command on a terminal of a size, with further settings.
func (s *System) Terminal(width, height int, env []string, args ...string) *Terminal {
	s.t.Helper()
	master, slave, err := pseudoTerminal(width, height)
	if err != nil {
		s.t.Fatal(err)
	}
	terminal := &Terminal{Screen: NewScreen(width, height), master: master}
	settings := append(s.env[:len(s.env):len(s.env)], "TERM=xterm", "NO_COLOR=")
	terminal.Process = start(s.t, launch{
		name: "ingest on a terminal", path: s.binary, args: args, dir: s.Dir, env: append(settings, env...),
		terminal: slave, orphaned: syscall.SIGKILL, ending: syscall.SIGTERM,
	})
	reading := lifecycle.NewTasks(context.WithoutCancel(s.t.Context()))
	reading.Go("read the terminal", func(context.Context) error {
		_, err := io.Copy(terminal.Screen, master)
		// This is how it tells that the last process has left it.
		if errors.Is(err, syscall.EIO) {
			err = nil
		}
		return err
	})
	if err := slave.Close(); err != nil {
		s.t.Fatal(err)
	}
	// Cleanups run backwards: this one before the process is ended, whose terminal must be read until it has ended.
	s.t.Cleanup(func() {
		terminal.cleanup(syscall.SIGTERM)
		if err := errors.Join(reading.Wait(), master.Close()); err != nil {
			s.t.Errorf("the terminal: %v", err)
		}
		if s.t.Failed() {
			s.t.Logf("the terminal shows:\n%s", terminal.Screen)
		}
	})
	return terminal
}

// Resize changes the width of the window.
func (t *Terminal) Resize(width, height int) {
	t.t.Helper()
	t.Screen.Resize(width)
	if err := resize(t.master, width, height); err != nil {
		t.t.Fatal(err)
	}
}

func pseudoTerminal(width, height int) (master, slave *os.File, err error) {
	if master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		return nil, nil, fmt.Errorf("open a pseudo terminal: %w", err)
	}
	if err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, fmt.Errorf("unlock the pseudo terminal: %w", errors.Join(err, master.Close()))
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		return nil, nil, fmt.Errorf("name the pseudo terminal: %w", errors.Join(err, master.Close()))
	}
	if err = resize(master, width, height); err != nil {
		return nil, nil, errors.Join(err, master.Close())
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open the pseudo terminal's other end: %w", errors.Join(err, master.Close()))
	}
	return master, slave, nil
}

func resize(master *os.File, width, height int) error {
	size := &unix.Winsize{Col: uint16(width), Row: uint16(height)}
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, size); err != nil {
		return fmt.Errorf("resize the terminal: %w", err)
	}
	return nil
}
