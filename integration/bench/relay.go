package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"

	"ingest/shared/lifecycle"
)

// relay passes connections on to Redis and counts the commands that clients send. MONITOR would count them, too, but writes
// every payload into a pipe, which makes an import slower than what is sent beside its chunks, and so counts too much of that.
type relay struct {
	address string
	count   atomic.Int64
}

// relay starts a relay before a server at host:port.
func (b *Bench) relay(target string) *relay {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	r := &relay{address: listener.Addr().String()}
	tasks := lifecycle.NewTasks(context.WithoutCancel(b.Context()))
	tasks.Go("accept", func(ctx context.Context) error {
		for {
			client, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			if err != nil {
				return err
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				return err
			}
			done := context.AfterFunc(ctx, func() { _, _ = client.Close(), server.Close() })
			tasks.Go("replies", func(context.Context) error {
				_, _ = io.Copy(client, server) // until one of them closes
				_ = client.Close()
				return nil
			})
			tasks.Go("requests", func(context.Context) error {
				defer done()
				defer func() { _ = server.Close() }()
				return r.pass(bufio.NewReader(client), bufio.NewWriter(server))
			})
		}
	})
	b.Cleanup(func() {
		tasks.Stop()
		_ = listener.Close()
		if err := tasks.Wait(); err != nil {
			b.Errorf("the relay to Redis: %v", err)
		}
	})
	return r
}

// pass passes commands on – arrays of strings with their lengths – until either side closes.
func (r *relay) pass(client *bufio.Reader, server *bufio.Writer) error {
	err := error(nil)
	for err == nil {
		if err = one(client, server); err == nil {
			r.count.Add(1)
		}
		if err == nil && client.Buffered() == 0 {
			err = server.Flush()
		}
	}
	if closed := net.Error(nil); errors.Is(err, io.EOF) || errors.As(err, &closed) {
		err = nil
	}
	return err
}

// one passes one command on.
func one(client *bufio.Reader, server *bufio.Writer) error {
	parts, err := head(client, server, '*')
	for ; err == nil && parts > 0; parts-- {
		var length int64
		if length, err = head(client, server, '$'); err == nil {
			_, err = io.CopyN(server, client, length+2)
		}
	}
	return err
}

// head passes a line on that says how much follows.
func head(client *bufio.Reader, server *bufio.Writer, kind byte) (int64, error) {
	line, err := client.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if line[0] != kind {
		return 0, fmt.Errorf("a request begins with %q", line)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(line[1:]), 10, 64)
	if err == nil {
		_, err = server.WriteString(line)
	}
	return n, err
}
