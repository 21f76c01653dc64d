// Package listener takes addresses for the servers of a process.
//
// It is done before the process does anything else: one whose address is taken ends with an error that says so and what to
// do.
package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Open listens on address, host:port; port 0 is any free one. what is who listens, flag and env are
// where another address is named; all are for the error. The caller must Close the listener.
func Open(ctx context.Context, what, address, flag, env string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		end := ""
		if errors.Is(err, syscall.EADDRINUSE) {
			end = "end what uses it, or "
		}
		return nil, fmt.Errorf("%s cannot use %s (%w): %sname another address with %s or %s; port 0 takes any free one",
			what, address, cause(err), end, flag, env)
	}
	return listener, nil
}

// cause is an error of Listen without the address it repeats.
func cause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// Close gives an address back unless its server has done so. It is idempotent; nil is none.
func Close(listener net.Listener) error {
	if listener == nil {
		return nil
	}
	if err := listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("stop listening on %s: %w", listener.Addr(), err)
	}
	return nil
}
