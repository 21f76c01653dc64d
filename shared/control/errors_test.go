package control

import "testing"

// TestEveryKindComesBackFromItsStatus: what a server refuses is the same refusal where the client is.
func TestEveryKindComesBackFromItsStatus(t *testing.T) {
	t.Parallel()
	for kind := NotFound; kind <= Unavailable; kind++ {
		if got := KindOfStatus(kind.Status()); got != kind {
			t.Errorf("kind %d is status %d, which is kind %d", kind, kind.Status(), got)
		}
	}
	if Kind(0).Status() != 500 || (Unavailable+1).Status() != 500 || KindOfStatus(413) != Invalid {
		t.Error("what is no kind has a status of one, or a status of none a kind other than Invalid")
	}
}
