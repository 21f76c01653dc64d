package webhook

import (
	"context"
	"errors"
	"net"
	"net/url"
	"time"
)

// Unavailable is an error that may pass: the same request may be taken later.
type Unavailable struct {
	// Reason says what happened, without the address.
	Reason string
	// After is how long the receiver asked to be left alone, 0 when it did not.
	After time.Duration

	err error
}

func (u *Unavailable) Error() string { return u.Reason }

// Is makes the end of the caller's own context known; nothing else of the cause is told.
func (u *Unavailable) Is(target error) bool {
	return (target == context.Canceled || target == context.DeadlineExceeded) && errors.Is(u.err, target)
}

// Refused is an error that no repetition mends.
type Refused struct{ Reason string }

func (r *Refused) Error() string { return r.Reason }

// reason is what the network said, without the address.
func reason(err error) string {
	var (
		wrapped *url.Error
		dns     *net.DNSError
		op      *net.OpError
	)
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "its host is not known"
	case errors.As(err, &dns):
		return "the name of its host could not be looked up"
	case errors.Is(err, context.DeadlineExceeded):
		return "it did not answer in time"
	case errors.As(err, &op):
		return op.Err.Error()
	default:
		return err.Error()
	}
}
