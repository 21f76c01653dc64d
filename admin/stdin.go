package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// interruptible returns r as a reader whose reads end with ctx, although a pipe or a terminal may stay quiet for ever:
// it is read only when there is something. r itself stays open; the caller must call the function, which ends the watch.
func interruptible(ctx context.Context, r io.Reader) (io.Reader, func() error, error) {
	file, is := r.(*os.File)
	if !is {
		return r, func() error { return nil }, nil
	}
	// The end of ctx closes the pipe's writing end, which wakes whoever polls the other.
	over, ending, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("watch the standard input: %w", err)
	}
	forget := context.AfterFunc(ctx, func() { _ = ending.Close() })
	end := func() error {
		var ended error
		if forget() {
			ended = ending.Close()
		}
		return errors.Join(ended, over.Close())
	}
	return reading(func(p []byte) (int, error) {
		if err := await(file, over); err != nil {
			return 0, fmt.Errorf("watch the standard input: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return file.Read(p)
	}), end, nil
}

type reading func(p []byte) (int, error)

func (r reading) Read(p []byte) (int, error) { return r(p) }

// await blocks until one of the files can be read, at its end too. It leaves their modes alone: a terminal is shared
// with the shell.
func await(a, b *os.File) error {
	return descriptor(a, func(first int32) error {
		return descriptor(b, func(second int32) error {
			for {
				_, err := unix.Poll([]unix.PollFd{{Fd: first, Events: unix.POLLIN}, {Fd: second, Events: unix.POLLIN}}, -1)
				if !errors.Is(err, syscall.EINTR) {
					return err
				}
			}
		})
	})
}

func descriptor(file *os.File, do func(fd int32) error) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var done error
	err = conn.Control(func(fd uintptr) { done = do(int32(fd)) })
	return errors.Join(err, done)
}
