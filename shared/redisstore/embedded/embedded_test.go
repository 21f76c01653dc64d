package embedded

import (
	"net"
	"testing"

	"go.uber.org/goleak"
)

func TestStart(t *testing.T) {
	defer goleak.VerifyNone(t)
	first, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	second, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	if first.Secret() == second.Secret() || first.Addr() == second.Addr() {
		t.Error("two servers share secret or address")
	}
	if host, _, err := net.SplitHostPort(first.Addr()); err != nil || host != "127.0.0.1" {
		t.Errorf("address %s", first.Addr())
	}
	addr := first.Addr()
	for _, s := range []*Server{first, first, second} {
		s.Close()
	}
	if first.Addr() != addr {
		t.Error("the address changed")
	}
	if conn, err := net.Dial("tcp", addr); err == nil {
		_ = conn.Close()
		t.Error("a closed server accepts connections")
	}
}
