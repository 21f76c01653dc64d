package listener

import (
	"strings"
	"testing"
)

func TestWhatCannotBeTakenIsSaid(t *testing.T) {
	t.Parallel()
	first, err := Open(t.Context(), "the API", "127.0.0.1:0", "--listen", "INGEST_LISTEN")
	if err != nil {
		t.Fatal(err)
	}
	taken := first.Addr().String()
	for address, want := range map[string]string{
		taken:              "the API cannot use " + taken + " (bind: address already in use): end what uses it, or name another address with --listen or INGEST_LISTEN; port 0 takes any free one",
		"192.0.2.1:0":      "the API cannot use 192.0.2.1:0 (bind: cannot assign requested address): name another address with --listen or INGEST_LISTEN; port 0 takes any free one",
		"127.0.0.1:999999": "the API cannot use 127.0.0.1:999999 (address 999999: invalid port): name another",
	} {
		if _, err := Open(t.Context(), "the API", address, "--listen", "INGEST_LISTEN"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", address, err, want)
		}
	}
	for range 2 {
		if err := Close(first); err != nil {
			t.Error(err)
		}
	}
	if err := Close(nil); err != nil {
		t.Error(err)
	}
	if again, err := Open(t.Context(), "the API", taken, "--listen", "INGEST_LISTEN"); err != nil {
		t.Error(err)
	} else if err := Close(again); err != nil {
		t.Error(err)
	}
}
