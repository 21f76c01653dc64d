package monitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// askLimit is how long Ask waits at most.
const askLimit = 5 * time.Second

// longest is more than any line /readyz says.
const longest = 1 << 10

// Ask asks the process that listens on address – as its configuration has it – whether it is ready. The error says
// in one line why it is not, or why nobody could be asked.
func Ask(ctx context.Context, address string) error {
	target, err := reach(address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+target+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("ask %s: %w", target, err)
	}
	// Its own transport: a proxy of the environment is for other machines.
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(request)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("nothing answered on %s within %s", target, askLimit)
	case err != nil:
		return fmt.Errorf("nothing answers on %s: the process does not run, or listens elsewhere", target)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, longest))
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", target, err)
	}
	if response.StatusCode != http.StatusOK {
		line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
		return fmt.Errorf("not ready (%d): %s", response.StatusCode, line)
	}
	return nil
}

// reach is an address to connect to for one to listen on: every interface includes loopback.
func reach(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("internal_listen is no address: %w", err)
	}
	if port == "0" {
		return "", errors.New("internal_listen takes any free port, which nobody else can know: name one")
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost"
		if ip != nil && ip.To4() != nil {
			host = "127.0.0.1"
		}
	}
	return net.JoinHostPort(host, port), nil
}
