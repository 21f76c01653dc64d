package rig

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	"ingest/shared/lifecycle"
)

// Loss is what becomes of a request that a Proxy loses.
type Loss int

// The losses.
const (
	// LostReply lets the server do what was asked; its reply never comes and the connection is cut.
	LostReply Loss = iota + 1
	// Silence does the same without cutting the connection: whoever asked waits until it has had enough.
	Silence
	// LostRequest cuts the connection; the server never hears of the request.
	LostRequest
	// LateRequest cuts the client's side and keeps the server's open; the server hears of the request from Deliver.
	LateRequest
)

// Proxy passes TCP connections on to a server and loses what it is told to. It is safe for concurrent use.
type Proxy struct {
	t        testing.TB
	target   string
	listener net.Listener
	tasks    *lifecycle.Tasks

	mu      sync.Mutex
	loss    Loss
	pattern []byte
	every   int
	met     int
	lost    int
	late    []late
	open    map[net.Conn]bool
}

type late struct {
	server  net.Conn
	request []byte
}

// StartProxy starts a proxy before a server at host:port; it loses nothing until it is told to.
func StartProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("start a proxy: %v", err)
	}
	p := &Proxy{
		t: t, target: target, listener: listener, open: map[net.Conn]bool{},
		tasks: lifecycle.NewTasks(context.WithoutCancel(t.Context())),
	}
	p.tasks.Go("accept", p.accept)
	t.Cleanup(func() {
		p.tasks.Stop()
		_ = p.listener.Close()
		p.Cut()
		if err := p.tasks.Wait(); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the proxy: %v", err)
		}
	})
	return p
}

// Address is host:port of the proxy.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Lose has every n-th request lost that has the pattern in it.
func (p *Proxy) Lose(what Loss, pattern string, every int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.loss, p.pattern, p.every, p.met = what, []byte(pattern), every, 0
}

// Heal loses nothing more.
func (p *Proxy) Heal() { p.Lose(0, "", 0) }

// Lost is how many requests were lost.
func (p *Proxy) Lost() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// Deliver sends the late requests to the server and ends their connections.
func (p *Proxy) Deliver() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.late {
		if _, err := l.server.Write(l.request); err != nil {
			p.t.Errorf("deliver a late request: %v", err)
		}
		_ = l.server.Close() // what was written is still sent
	}
	p.late = nil
}

// Cut cuts every connection.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		_ = conn.Close()
	}
}

func (p *Proxy) accept(context.Context) error {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close() // as if nobody listened
			continue
		}
		c := &passage{proxy: p, client: client, server: server}
		p.keep(client, server)
		p.tasks.Go("requests", func(context.Context) error { c.up(); return nil })
		p.tasks.Go("replies", func(context.Context) error { c.down(); return nil })
	}
}

func (p *Proxy) keep(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range conns {
		p.open[conn] = true
	}
}

// judge says what is to become of a request, 0 = it is passed on.
func (p *Proxy) judge(request []byte) Loss {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.loss == 0 || !bytes.Contains(request, p.pattern) {
		return 0
	}
	if p.met++; p.met%p.every != 0 {
		return 0
	}
	p.lost++
	return p.loss
}

// passage is one connection through the proxy.
type passage struct {
	proxy          *Proxy
	client, server net.Conn

	mu sync.Mutex
	// losing says what becomes of the replies from now on.
	losing Loss
}

func (c *passage) lose(what Loss) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.losing = what
}

func (c *passage) loses() Loss {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.losing
}

func (c *passage) close() {
	_ = c.client.Close()
	_ = c.server.Close()
}

func (c *passage) up() {
	buffer := make([]byte, 64<<10)
	for {
		n, err := c.client.Read(buffer)
		if n > 0 {
			switch loss := c.proxy.judge(buffer[:n]); loss {
			case LostRequest:
				c.close()
				return
			case LateRequest:
				c.lose(loss)
				_ = c.client.Close()
				c.proxy.mu.Lock()
				c.proxy.late = append(c.proxy.late, late{c.server, bytes.Clone(buffer[:n])})
				c.proxy.mu.Unlock()
				return
			case LostReply, Silence:
				c.lose(loss)
			}
			if _, err := c.server.Write(buffer[:n]); err != nil {
				c.close()
				return
			}
		}
		if err != nil {
			c.close()
			return
		}
	}
}

func (c *passage) down() {
	buffer := make([]byte, 64<<10)
	for {
		n, err := c.server.Read(buffer)
		if n > 0 {
			switch c.loses() {
			case LostReply:
				c.close()
				return
			case Silence, LateRequest:
				continue
			default:
			}
			if _, err := c.client.Write(buffer[:n]); err != nil && c.loses() != LateRequest {
				c.close()
				return
			}
		}
		if err != nil {
			c.close()
			return
		}
	}
}
