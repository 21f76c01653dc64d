package porttest

import (
	"net"
	"strconv"
	"testing"
)

func TestNobodyGetsAPortTwice(t *testing.T) {
	t.Parallel()
	given := map[int]bool{}
	for range 200 {
		port := Free(t)
		if given[port] {
			t.Fatalf("port %d is given twice", port)
		}
		given[port] = true
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			t.Fatal(err)
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
